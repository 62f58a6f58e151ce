import { parseDuration } from './duration.ts';

/**
 * A moment as people write it: `2026-11-24 10:00` (local time), `2026-11-24T09:00:00Z`, `10:00` (today), `2h` or
 * `3d` (ago), `yesterday`.
 * @param now milliseconds since 1970 @returns milliseconds since 1970
 * @throws RangeError whose message says what is allowed
 */
export function timeOf(text: string, now: number): number {
  const written = text.trim();
  if (written === 'now') return now;
  if (written === 'today' || written === 'yesterday') {
    const day = new Date(now);
    day.setHours(0, 0, 0, 0);
    if (written === 'yesterday') day.setDate(day.getDate() - 1);
    return day.getTime();
  }
  const clock = /^(\d\d?):(\d\d)(?::(\d\d))?$/.exec(written);
  if (clock !== null && Number(clock[1]) < 24 && Number(clock[2]) < 60) {
    const day = new Date(now);
    return day.setHours(Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0), 0);
  }
  const date = /^\d{4}-\d\d-\d\d$/.test(written) ? `${written}T00:00:00` : written.replace(' ', 'T');
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(date) && !Number.isNaN(Date.parse(date))) return Date.parse(date);
  try {
    return now - parseDuration(written);
  } catch {
    throw new RangeError(
      `"${text}" is not a time; write it as "2026-11-24 10:00", "10:00" (today), 2h (ago), 3d, today or yesterday`,
    );
  }
}
