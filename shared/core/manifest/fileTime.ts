/** A file's time: whole seconds since 1970, and the nanoseconds after them. */
export type FileTime = readonly [seconds: number, nanoseconds: number];

/** Digits of a second's nanoseconds. */
const DIGITS = 9;
const IN_SECOND = 1_000_000_000n;

/** Nanoseconds since 1970, decimal. */
export function timeText(seconds: number, nanoseconds: number): string {
  if (seconds > 0) return `${seconds}${String(nanoseconds).padStart(DIGITS, '0')}`;
  return String(BigInt(seconds) * IN_SECOND + BigInt(nanoseconds));
}

/** The numbers of a time that {@link timeText} turns into this text; undefined when there are none. Pure. */
export function timeOf(text: string): FileTime | undefined {
  // Nearly all: after the first second of 1970, with seconds that are exact.
  if (/^[1-9]\d{9,23}$/.test(text)) return [Number(text.slice(0, -DIGITS)), Number(text.slice(-DIGITS))];
  if (!/^-?\d+$/.test(text)) return undefined;
  const nanoseconds = ((BigInt(text) % IN_SECOND) + IN_SECOND) % IN_SECOND;
  const time = [Number((BigInt(text) - nanoseconds) / IN_SECOND), Number(nanoseconds)] as const;
  return timeText(...time) === text ? time : undefined;
}
