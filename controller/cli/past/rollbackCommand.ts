import { EXIT } from '#host/cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';
import type { RolledBack } from '../../control/contract/contract.ts';
import { print } from '#host/cli/output/terminal.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';
import { actionLine, exitCode, summary } from '../synchronisation/syncCommand.ts';

/** `rollback`: restores an older state of a directory on Main, and so on every MDS. */
export async function rollback(
  context: Context,
  changeSet: string,
  options: { dryRun?: boolean; json?: boolean },
): Promise<number> {
  const dryRun = options.dryRun === true;
  const done = await ask(context, 'rollback', { changeSet, dryRun });
  if (options.json === true) printJson('rollback', done);
  else {
    for (const action of done.actions) print(actionLine('main', action));
    print(outcome(done, dryRun));
    for (const problem of done.problems) print(`  main: ${printable(problem)}`);
    for (const pass of done.mds) for (const line of summary(pass)) print(line);
  }
  const code = exitCode(done.mds);
  return done.problems.length === 0 ? code : EXIT.failed;
}

function outcome({ directory, changeSet, actions, by }: RolledBack, dryRun: boolean): string {
  if (actions.length === 0) return `nothing to do: ${directory} on Main is as it was before ${changeSet}`;
  if (dryRun) return `nothing was changed: ${directory} on Main would be as it was before ${changeSet}`;
  return `${directory} on Main is as it was before ${changeSet}; to undo that: xivo-xds-sync rollback ${by}`;
}
