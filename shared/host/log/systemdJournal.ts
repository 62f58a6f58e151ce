import { fstatSync } from 'node:fs';

type Streams = {
  readonly environment: NodeJS.ProcessEnv;
  readonly parent: number;
  readonly stdout: { readonly dev: number; readonly ino: number; isFIFO(): boolean } | undefined;
};

/**
 * True when stdout goes to the journal: systemd names that stream in JOURNAL_STREAM (systemd.exec(5)). A service whose
 * stdout is a pipe counts too. The variable alone is not enough, since every child of a service inherits it.
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
    // stdout is closed: nothing can be written there.
    return undefined;
  }
}
