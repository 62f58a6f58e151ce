/**
 * Formats a time for people: local time to the second with its zone, such as `2026-11-25 21:12:05 CET`.
 * @param at milliseconds since 1970, or ISO 8601
 */
export function localTime(at: number | string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return 'an unknown time';
  return `${localDay(date)} ${localClock(date)} ${zone(date)}`;
}

/** The same without the date when it is today: `21:12:05 CET`. @param now milliseconds since 1970 */
export function localTimeShort(at: number | string, now: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return 'an unknown time';
  const sameDay = localDay(date) === localDay(new Date(now));
  return sameDay ? `${localClock(date)} ${zone(date)}` : localTime(at);
}

function localDay(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function localClock(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The zone's abbreviation where the system knows it, else its offset. */
function zone(date: Date): string {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' }).formatToParts(date);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  if (/^[A-Z]{2,5}$/.test(name)) return name;
  const offset = -date.getTimezoneOffset();
  const sign = offset < 0 ? '-' : '+';
  return `UTC${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
