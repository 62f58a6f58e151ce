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

const LARGE: readonly (readonly [name: string, seconds: number])[] = [
  ['years', 365 * 86_400],
  ['days', 86_400],
  ['h', 3600],
  ['min', 60],
];

/** A duration for people, as exact as it matters: `250 ms`, `8.2 s`, `42 s`, `5 min`, `3 h`, `2 days`, `10 years`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  for (const [name, each] of LARGE) {
    if (seconds < each * (name === 'h' || name === 'min' ? 1 : 2)) continue;
    return `${Math.floor(seconds / each)} ${name}`;
  }
  return `${seconds} s`;
}
