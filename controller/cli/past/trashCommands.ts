import { countOf } from '#core/text/countOf.ts';
import { localTime } from '#host/time/localTime.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';
import { table } from '#host/cli/output/table.ts';
import { formatBytes } from '#core/text/size.ts';
import { print, printError, terminalWidth } from '#host/cli/output/terminal.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { timeOption } from '#host/cli/options.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';
import { actionLine, exitCode, summary } from '../synchronisation/syncCommand.ts';

/** `trash list`: the items that can be restored. @returns the exit code: 1 when a host could not be read */
export async function trashList(
  context: Context,
  options: { mds?: string; json?: boolean },
): Promise<number> {
  const { items, problems } = await ask(context, 'trash-list', { mds: options.mds });
  if (options.json === true) printJson('trash list', { items, problems });
  else {
    const rows = items.map(({ host, directory, path, at, bytes, reason, id }) => [
      host,
      `${directory}/${path}`,
      localTime(at),
      formatBytes(bytes),
      reason,
      id,
    ]);
    if (items.length === 0) print('the trash is empty');
    else
      for (const line of table(['HOST', 'PATH', 'SINCE', 'SIZE', 'REASON', 'ID'], rows, {
        right: [3],
        fold: { from: 4, width: terminalWidth() },
      }))
        print(line);
    for (const problem of problems) printError(`xivo-xds-sync: ${problem}`);
  }
  return problems.length === 0 ? EXIT.done : EXIT.failed;
}

export type RestoreOptions = {
  readonly mds?: string;
  /** The same as `mds`. */
  readonly from?: string;
  readonly toMain?: boolean;
  readonly as?: string;
  readonly at?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
};

/** `trash restore`: restores a path, what was removed below a folder, or what a change set displaced. */
export async function trashRestore(context: Context, path: string, options: RestoreOptions): Promise<number> {
  const { as, at } = options;
  const mds = options.from ?? options.mds;
  const toMain = options.toMain === true;
  if (options.from !== undefined && options.mds !== undefined)
    throw new UsageError('--from and --mds mean the same: give one of them');
  if (toMain && mds === undefined)
    throw new UsageError('--to-main needs --from MDS: "xivo-xds-sync trash list" names it');
  const dryRun = options.dryRun === true;
  const done = await ask(context, 'trash-restore', {
    path,
    mds,
    toMain,
    as,
    ...(at !== undefined && { at: timeOption(at, '--at') }),
    dryRun,
  });
  const { restored } = done;
  if (options.json === true) printJson('trash restore', done);
  else if (restored === null) {
    const place = `${done.directory}/${printable(done.path)}`;
    print(
      dryRun
        ? `nothing was changed: ${done.host} would restore ${place} from its trash (${done.id})`
        : `${done.host}: restored ${place}`,
    );
  } else {
    for (const action of restored.actions) print(actionLine('main', action));
    const count = `${countOf(restored.actions.length, 'entry', 'entries')} of ${restored.directory}`;
    print(
      dryRun
        ? `nothing was changed: ${count} would be restored`
        : `restored ${count}; to undo that: xivo-xds-sync rollback ${restored.by}`,
    );
    for (const problem of restored.problems) print(`  main: ${problem}`);
    for (const pass of restored.mds) for (const line of summary(pass)) print(line);
  }
  if (restored === null) return EXIT.done;
  const code = exitCode(restored.mds);
  return restored.problems.length === 0 ? code : EXIT.failed;
}
