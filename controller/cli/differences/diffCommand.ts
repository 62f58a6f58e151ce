import { EXIT } from '#host/cli/exitCodes.ts';
import { type Line, print, printError } from '#host/cli/terminal.ts';
import type { Difference, TextDifference } from '../../control/contract/contract.ts';
import { ask, printJson } from '../ask.ts';
import type { Context } from '../context.ts';
import { differenceLines, written } from './words.ts';

/** `diff`: what an MDS has otherwise than Main, and for one path what the difference is. */
export async function diff(
  context: Context,
  mds: string,
  path: string | undefined,
  options: { json?: boolean },
): Promise<number> {
  const found = await ask(context, 'diff', { mds, path });
  const { differences, more, contents, problems } = found;
  if (options.json === true) printJson(found);
  else {
    if (differences.length === 0 && problems.length === 0)
      print(
        path === undefined
          ? `${mds} has all as Main has it, and nothing else`
          : `${mds} has ${path} as Main has it`,
      );
    if (differences.length > 0) for (const line of differenceLines(mds, differences)) print(line);
    if (more > 0) print(`and ${more} more: name a directory or a folder`);
    for (const each of contents) for (const line of textLines(mds, each)) print(line);
    for (const line of advice(mds, path, differences)) print(line);
    for (const problem of problems) printError(`xivo-xds-sync: ${problem}`);
  }
  return problems.length === 0 && !differences.some(isBehind) ? EXIT.done : EXIT.failed;
}

/** Something that Main has to say there, and that is not done. */
function isBehind({ kind, item }: Difference): boolean {
  return kind === 'pending' || ((kind === 'drift' || kind === 'replaced') && item === null);
}

function* textLines(mds: string, { directory, path, lines, more, note }: TextDifference): Generator<Line> {
  yield '';
  yield [{ text: `--- main  ${written({ directory, path })}`, style: 'bold' }];
  yield [{ text: `+++ ${mds}  ${written({ directory, path })}`, style: 'bold' }];
  if (note !== null) yield `(${note})`;
  else if (lines.length === 0) yield '(the same text)';
  for (const { sign, text } of lines) {
    const line = `${sign}${text}`;
    yield sign === ' ' ? line : [{ text: line, style: sign === '+' ? 'green' : 'red' }];
  }
  if (more > 0) yield `(and ${more} lines more)`;
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
