import type { Layout, Pair } from './contestant.ts';
import { makePairFolders } from './pairFolders.ts';
import type { PrivateSshd } from './privateSshd.ts';
import type { Started } from './processes.ts';

const LIMIT = 600_000;

/** A pair for a program that is run by command, over ssh: each pass is one run of it, to its end. */
export function commandOverSsh(
  layout: Layout,
  sshd: PrivateSshd,
  begin: (pair: { readonly source: string; readonly target: string }) => Started,
): Pair {
  const { source, target, outbox } = makePairFolders(layout);
  let command: Started | undefined;
  const run = async (): Promise<void> => {
    command = begin({ source, target });
    await command.succeeded(LIMIT);
  };
  return {
    source,
    target,
    outbox,
    roots: () => [
      ...(command?.isRunning === true ? [{ role: 'client', pid: command.pid }] : []),
      { role: 'server', pid: sshd.pid },
    ],
    start: run,
    again: run,
    end: async () => command?.end(),
  };
}
