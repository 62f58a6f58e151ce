import { fstatSync } from 'node:fs';

type Streams = {
  readonly environment: NodeJS.ProcessEnv;
  readonly parent: number;
  readonly stdout: { readonly dev: number; readonly ino: number; isFIFO(): boolean } | undefined;
};

/**
 * True when what is printed on stdout ends up in the journal: systemd says which stream that is in JOURNAL_STREAM
 * (systemd.exec(5)). A service whose stdout is a pipe counts too; the environment alone says little, since
 * everything that a service starts inherits it.
 */
export function goesToJournal({ environment, parent, stdout }: Streams): boolean {
  if (stdout === undefined) return false;
  if (environment['JOURNAL_STREAM'] === `${stdout.dev}:${stdout.ino}`) return true;
  return environment['INVOCATION_ID'] !== undefined && parent === 1 && stdout.isFIFO();
}

/** {@link goesToJournal} for this process. */
export function stdoutGoesToJournal(): boolean {
  return goesToJournal({ environment: process.env, parent: process.ppid, stdout: statOfStdout() });
}

function statOfStdout(): Streams['stdout'] {
  try {
    return fstatSync(1);
  } catch {
    // A closed stdout is no stream at all; nothing can be written there and nothing is lost.
    return undefined;
  }
}
