/** The value below which a share of all values lies: the nearest one, never an invented one. @param share 0 to 1 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Median, least and most of several runs, as a table shows them; nothing when one could not be measured. */
export function spread(values: readonly number[], digits: number): string {
  if (values.length === 0 || values.some(Number.isNaN)) return '';
  const [median, least, most] = [quantile(values, 0.5), Math.min(...values), Math.max(...values)].map(
    (value) => value.toFixed(digits),
  );
  return values.length === 1 ? `${median}` : `${median} (${least}–${most})`;
}
