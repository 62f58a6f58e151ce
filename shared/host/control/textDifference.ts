import type { TextDifference } from './differences.ts';

/** Lines that are shown of one file. */
const MAX_LINES = 400;
const CONTEXT = 3;

/** Line by line, from one text to another. */
export async function textDifference(
  before: Buffer,
  after: Buffer,
): Promise<Pick<TextDifference, 'lines' | 'more'>> {
  // Asked for seldom: a daemon at rest does without it.
  const { structuredPatch } = await import('diff');
  const { hunks } = structuredPatch('', '', before.toString('utf8'), after.toString('utf8'), '', '', {
    context: CONTEXT,
  });
  const all = hunks.flatMap((hunk) => hunk.lines);
  const shown = all.slice(0, MAX_LINES).map((line) => ({
    sign: line.startsWith('+') ? ('+' as const) : line.startsWith('-') ? ('-' as const) : (' ' as const),
    text: line.slice(1),
  }));
  return { lines: shown, more: all.length - shown.length };
}
