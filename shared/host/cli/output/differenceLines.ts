import { countOf } from '#core/text/countOf.ts';
import { printable } from '#core/text/printable.ts';
import { formatBytes } from '#core/text/size.ts';
import { localTime } from '../../time/localTime.ts';
import { table } from './table.ts';
import { type Line, terminalWidth } from './terminal.ts';
import type { Difference, TextDifference } from '../../control/differences.ts';

/**
 * Describes each kind of difference, and what happens to it.
 * @param isActedOn for a command that changes what it lists, so that it is not what happens otherwise
 */
function meaning(mds: string, { kind, at, item, reason }: Difference, isActedOn: boolean): string {
  const why = reason ?? '';
  switch (kind) {
    case 'local':
      return isActedOn ? `local file of ${mds}` : `local file: only on ${mds}, left alone`;
    case 'override':
      return 'override (xds_override): never read, sent or removed';
    case 'excluded':
      return `excluded (${why}): left alone on all hosts`;
    case 'drift':
    case 'replaced': {
      const what =
        kind === 'drift' ? `changed on ${mds} (drift)` : `${mds} had another content under Main's name`;
      if (item === null && isActedOn) return what;
      if (item === null) return `${what}: Main's version will be restored (${why})`;
      return `${what}: Main's version was restored${at === null ? '' : ` at ${localTime(at)}`}, that of ${mds} is in its trash (${item})`;
    }
    case 'pending':
      return isActedOn ? `not as on Main: ${why}` : `to be done: ${why}`;
    case 'skipped':
      return `can't be synchronised: ${why}`;
  }
}

/** A line for each difference. @param isActedOn by the command that lists them */
export function differenceLines(
  mds: string,
  differences: readonly Difference[],
  isActedOn = false,
): string[] {
  const rows = differences.map((each) => [
    each.kind.toUpperCase(),
    `${each.directory}/${each.path}`,
    each.type === 'file' ? formatBytes(each.bytes) : each.type === 'other' ? '' : each.type,
    meaning(mds, each, isActedOn),
  ]);
  return table(['KIND', 'PATH', 'SIZE', 'DESCRIPTION'], rows, {
    right: [2],
    fold: { from: 3, width: terminalWidth() },
  });
}

/** The path in the form that the command line takes. */
export function written({ directory, path }: Pick<Difference, 'directory' | 'path'>): string {
  return `${directory}/${printable(path)}`;
}

/** An obstacle that Main reports for the path. */
export function isBehind({ kind, item }: Difference): boolean {
  return kind === 'pending' || ((kind === 'drift' || kind === 'replaced') && item === null);
}

/** The lines of a text that differ. */
export function* textLines(
  mds: string,
  { directory, path, lines, more, note }: TextDifference,
): Generator<Line> {
  yield '';
  yield [{ text: `--- main  ${written({ directory, path })}`, style: 'bold' }];
  yield [{ text: `+++ ${mds}  ${written({ directory, path })}`, style: 'bold' }];
  if (note !== null) yield `(${note})`;
  else if (lines.length === 0) yield '(the same text)';
  for (const { sign, text } of lines) {
    const line = `${sign}${text}`;
    yield sign === ' ' ? line : [{ text: line, style: sign === '+' ? 'green' : 'red' }];
  }
  if (more > 0) yield `(and ${countOf(more, 'line')} more)`;
}
