import { EXIT } from '#host/cli/exitCodes.ts';
import { print, printError } from '#host/cli/output/terminal.ts';
import type { Difference } from '../../control/contract/contract.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';
import { differenceLines, isBehind, textLines, written } from '#host/cli/output/differenceLines.ts';

/** `diff`: how an MDS differs from Main; for one path, the difference itself. */
export async function diff(
  context: Context,
  mds: string,
  path: string | undefined,
  options: { json?: boolean },
): Promise<number> {
  const found = await ask(context, 'diff', { mds, path });
  const { differences, more, contents, problems } = found;
  if (options.json === true) printJson('diff', found);
  else {
    if (differences.length === 0 && problems.length === 0)
      print(
        path === undefined ? `${mds} does not differ from Main` : `${path} is the same on Main and on ${mds}`,
      );
    if (differences.length > 0) for (const line of differenceLines(mds, differences)) print(line);
    if (more > 0) print(`and ${more} more: name a directory or a folder`);
    for (const each of contents) for (const line of textLines(mds, each)) print(line);
    for (const line of advice(mds, path, differences)) print(line);
    for (const problem of problems) printError(`xivo-xds-sync: ${problem}`);
  }
  return problems.length === 0 && !differences.some(isBehind) ? EXIT.done : EXIT.failed;
}

function advice(mds: string, path: string | undefined, differences: readonly Difference[]): string[] {
  const own = differences.find(({ kind }) => kind === 'local' || kind === 'drift' || kind === 'replaced');
  if (own === undefined) return [];
  const lines = [''];
  if (path === undefined)
    lines.push(`what differs in a file:        xivo-xds-sync diff ${mds} ${written(own)}`);
  lines.push(`to make it Main's, everywhere: xivo-xds-sync adopt ${mds} ${written(own)}`);
  if (differences.some(({ kind }) => kind === 'local'))
    lines.push(`to remove local files there:   xivo-xds-sync prune ${mds}`);
  return lines;
}
