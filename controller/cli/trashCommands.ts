import { EXIT } from '#host/cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';
import { table } from '#host/cli/table.ts';
import { formatBytes } from '#core/text/size.ts';
import type { ListedTrash } from '../control/trash.ts';
import { ask, type Context, print, printJson } from './context.ts';

export async function trashList(
  context: Context,
  options: { mds?: string; json?: boolean },
): Promise<number> {
  const { items, problems } = (await ask(context, 'trash-list', { mds: options.mds })) as {
    items: ListedTrash[];
    problems: string[];
  };
  if (options.json === true)
    printJson({ items: items.map((item) => ({ ...item, at: new Date(item.at).toISOString() })), problems });
  else {
    const rows = items.map(({ host, directory, path, at, bytes, reason, id }) => [
      host,
      `${directory}/${path}`,
      new Date(at).toISOString(),
      formatBytes(bytes),
      reason,
      id,
    ]);
    for (const line of table(['HOST', 'PATH', 'SINCE', 'SIZE', 'REASON', 'ID'], rows, { right: [3] }))
      print(line);
    for (const problem of problems) process.stderr.write(`xivo-xds-sync: ${printable(problem)}\n`);
  }
  return problems.length === 0 ? EXIT.done : EXIT.failed;
}

export async function trashRestore(
  context: Context,
  path: string,
  options: { mds?: string; as?: string },
): Promise<number> {
  const done = (await ask(context, 'trash-restore', {
    path,
    mds: options.mds,
    as: options.as,
  })) as ListedTrash;
  print(`${done.host}: ${done.directory}/${printable(done.path)} is back`);
  return EXIT.done;
}
