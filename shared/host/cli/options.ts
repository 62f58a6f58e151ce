import { parseDuration } from '#core/text/duration.ts';
import { timeOf } from '#core/text/timeOf.ts';
import { UsageError } from './usageError.ts';

/** Milliseconds of an option such as `30m`. @throws UsageError that names the option */
export function durationOption(text: string, option: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A whole number of an option. @throws UsageError that names the option and what it takes */
export function numberOption(text: string, option: string, range: { min: number; max: number }): number {
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text) || value < range.min || value > range.max)
    throw new UsageError(`${option} takes a whole number from ${range.min} to ${range.max}, not "${text}"`);
  return value;
}

/** A time behind an option, milliseconds since 1970. @throws UsageError that names the option and what it takes */
export function timeOption(text: string, option: string): number {
  try {
    return timeOf(text, Date.now());
  } catch (error) {
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
