const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Ten years: longer is a typing error, and far below where milliseconds stop being exact. */
const MAX_DURATION_MS = 3650 * 86_400_000;

/**
 * Milliseconds of `300ms`, `2s`, `15m`, `1h` or `30d`; a whole number from 0 to ten years.
 * @throws RangeError whose message says what is allowed
 */
export function parseDuration(text: string): number {
  const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text.trim());
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined) {
    throw new RangeError(
      `"${text}" is not a duration; write a whole number and ms, s, m, h or d, such as 15m`,
    );
  }
  const ms = Number(match[1]) * unit;
  if (ms > MAX_DURATION_MS) throw new RangeError(`"${text}" is longer than ten years (3650d)`);
  return ms;
}

/** A duration for people: the two largest units that count, such as `2m 5s`, `1d 3h`, `250ms`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 10_000) return `${Number((ms / 1000).toFixed(1))}s`;
  let rest = Math.round(ms / 1000);
  const parts: string[] = [];
  for (const [name, seconds] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0) parts.push(`${count}${name}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}
