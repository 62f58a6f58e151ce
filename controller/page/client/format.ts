import { LANGUAGE } from './translate.ts';

/** Dates and numbers as this person's country writes them, where the page speaks the language. */
const LOCALE = navigator.language.toLowerCase().startsWith(LANGUAGE) ? navigator.language : LANGUAGE;
const TIME = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'short', timeStyle: 'medium' });
const NUMBER = new Intl.NumberFormat(LOCALE);
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A time of day in the browser's zone. @param iso ISO 8601 */
export function timeText(iso: string): string {
  return TIME.format(new Date(iso));
}

/** How long something takes or took. @param seconds 0 or more */
export function durationText(seconds: number): string {
  if (seconds < 10) return `${NUMBER.format(Math.round(seconds * 10) / 10)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${NUMBER.format(Math.round(seconds / 86_400))} ${LANGUAGE === 'fr' ? 'j' : 'd'}`;
}

/** A number with the separators of the language. */
export function countText(count: number): string {
  return NUMBER.format(count);
}

/** A size with its unit, in the notation of the language. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < UNITS.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${NUMBER.format(Math.round(value * 10) / 10)} ${UNITS[unit] ?? 'B'}`;
}

/**
 * A name from a disk, for the screen: control and direction characters are shown as their numbers, so that a file's
 * name can't pass for something else. (Markup is no danger here: text is set as text.)
 */
export function nameText(name: string): string {
  return name.replace(
    /[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
