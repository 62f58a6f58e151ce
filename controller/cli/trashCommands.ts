import { EXIT } from '#host/cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';
import { table } from '#host/cli/table.ts';
import { formatBytes } from '#core/text/size.ts';
import { print, printError } from '#host/cli/terminal.ts';
import { ask, printJson } from './ask.ts';
import type { Context } from './context.ts';

export async function trashList(
  context: Context,
  options: { mds?: string; json?: boolean },
): Promise<number> {
  const { items, problems } = await ask(context, 'trash-list', { mds: options.mds });
  if (options.json === true) printJson({ items, problems });
  else {
    const rows = items.map(({ host, directory, path, at, bytes, reason, id }) => [
      host,
      `${directory}/${path}`,
      at,
      formatBytes(bytes),
      reason,
      id,
    ]);
    for (const line of table(['HOST', 'PATH', 'SINCE', 'SIZE', 'REASON', 'ID'], rows, { right: [3] }))
      print(line);
    for (const problem of problems) printError(`xivo-xds-sync: ${problem}`);
  }
  return problems.length === 0 ? EXIT.done : EXIT.failed;
}

export async function trashRestore(
  context: Context,
  path: string,
  options: { mds?: string; as?: string; json?: boolean },
): Promise<number> {
  const done = await ask(context, 'trash-restore', {
    path,
    mds: options.mds,
    as: options.as,
  });
  if (options.json === true) printJson(done);
  else print(`${done.host}: restored ${done.directory}/${printable(done.path)}`);
  return EXIT.done;
}
