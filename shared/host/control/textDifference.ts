import type { TextDifference } from './differences.ts';

/** Most lines shown for one file. */
const MAX_LINES = 400;
const CONTEXT = 3;

/** A line-by-line diff from one text to another. */
export async function textDifference(
  before: Buffer,
  after: Buffer,
): Promise<Pick<TextDifference, 'lines' | 'more'>> {
  // Rarely needed, so it is loaded on demand.
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
