import { printable } from '#core/text/printable.ts';

export type TableOptions = {
  /** Marks the heading in bold; leave it out when the output is not a terminal. */
  readonly colour?: boolean;
  /** Columns (by index) that hold numbers and are aligned to the right. */
  readonly right?: readonly number[];
};

const GAP = '  ';
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
