import { printable } from '#core/text/printable.ts';
import { wrap } from './wrap.ts';

export type TableOptions = {
  /** Marks the heading in bold; leave it out when the output is not a terminal. */
  readonly colour?: boolean;
  /** Columns (by index) that hold numbers and are aligned to the right. */
  readonly right?: readonly number[];
  /** Where a line is wider than that, the columns from this one on (by index) are below the others, without a heading. */
  readonly fold?: { readonly from: number; readonly width: number };
};

const GAP = '  ';
const INDENT = 4;
const BOLD = '\u001b[1m';
const PLAIN = '\u001b[0m';

/**
 * Lines of aligned columns for people, heading first. Cells are made {@link printable} here, so that a file
 * name can't break the table. Without rows only the heading comes back.
 */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string[] {
  const { fold, ...unfolded } = options;
  const lines = aligned(heading, rows, unfolded);
  if (fold === undefined || lines.every((line) => width(line) <= fold.width)) return lines;
  const above = aligned(
    heading.slice(0, fold.from),
    rows.map((row) => row.slice(0, fold.from)),
    unfolded,
  );
  return above.flatMap((line, i) => [line, ...below(rows[i - 1]?.slice(fold.from) ?? [], fold.width)]);
}

function below(cells: readonly string[], room: number): string[] {
  const texts = cells.filter((cell) => cell !== '').map((cell) => printable(cell));
  return texts.length === 0 ? [] : wrap(texts.join(GAP), INDENT, room).map((line) => line.trimEnd());
}

function aligned(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  options: Omit<TableOptions, 'fold'>,
): string[] {
  const cells = [heading, ...rows].map((row) => heading.map((_, column) => printable(row[column] ?? '')));
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => width(row[column] ?? ''))));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => {
        const padding = ' '.repeat((widths[column] ?? 0) - width(cell));
        return options.right?.includes(column) === true ? padding + cell : cell + padding;
      })
      .join(GAP)
      .trimEnd(),
  );
  if (options.colour === true) lines[0] = BOLD + (lines[0] ?? '') + PLAIN;
  return lines;
}

/** Characters, not UTF-16 units; combining marks take no column. */
function width(text: string): number {
  return Array.from(text.replace(/\p{M}/gu, '')).length;
}
