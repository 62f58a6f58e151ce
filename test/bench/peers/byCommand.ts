import type { Layout, Pair } from '../contestant.ts';
import type { Started } from '../processes.ts';
import { makePairFolders } from './pairFolders.ts';

const LIMIT = 600_000;

/** What one run of the command is given. */
export type CommandRun = {
  readonly source: string;
  readonly target: string;
  /** Words to put before the command. */
  readonly under: readonly string[];
};

/**
 * A pair for a program that is run by command: a pass is one run of it, to its end.
 * @param server the process that does the other side's work, if there is one
 */
export function pairByCommand(
  layout: Layout,
  server: () => number | undefined,
  begin: (run: CommandRun) => Started,
): Pair {
  const { source, target, outbox } = makePairFolders(layout);
  let command: Started | undefined;
  const run = async (): Promise<void> => {
    command = begin({ source, target, under: layout.under?.('client') ?? [] });
    await command.succeeded(LIMIT);
  };
  return {
    source,
    target,
    outbox,
    roots: () => {
      const pid = server();
      return [
        ...(command?.isRunning === true ? [{ role: 'client', pid: command.pid }] : []),
        ...(pid === undefined ? [] : [{ role: 'server', pid }]),
      ];
    },
    start: run,
    end: async () => command?.end(),
  };
}
