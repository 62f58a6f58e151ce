import { posix } from 'node:path';
import * as z from 'zod';
import { isMdsName, MDS_NAME_RULE } from '#core/mdsName.ts';
import { formatBytes, parseBytes } from '#core/text/size.ts';
import { formatDuration, parseDuration } from '#core/text/duration.ts';

const DIRECTORY_NAME = /^[a-z0-9-]{1,32}$/;

/**
 * A field that a function parses. The function throws a RangeError for a value that it refuses; its message is shown to
 * the person who wrote the file.
 */
export function parsed<T>(parse: (value: unknown) => T): z.ZodType<T> {
  return z.unknown().transform((value, context) => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

/** A map with exactly these keys. `trash:` with nothing below it counts as an empty one. */
export function section<S extends z.core.$ZodLooseShape>(shape: S) {
  const keys = Object.keys(shape).join(', ');
  const object = z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key; known here: ${keys}`
        : `${shown(issue.input)} is not a map; known keys here: ${keys}`,
  });
  return z.preprocess((value) => value ?? {}, object);
}

/** A list. */
export function list<S extends z.ZodType>(item: S) {
  return z.array(item, { error: (issue) => `${shown(issue.input)} is not a list` });
}

/** One of these words. */
export function oneOf<const V extends readonly [string, ...string[]]>(...values: V) {
  return z.enum(values, { error: (issue) => `${shown(issue.input)} is not one of ${values.join(', ')}` });
}

/** A duration; comes back in milliseconds, from `least` to `most` milliseconds. */
export function duration(least: number, most = Number.MAX_SAFE_INTEGER): z.ZodType<number> {
  return parsed((value) => {
    if (typeof value === 'number') {
      throw new RangeError(`${value} has no unit; write ms, s, m, h or d after it, such as 15m`);
    }
    const ms = parseDuration(textOf(value));
    if (ms < least)
      throw new RangeError(`"${String(value)}" is too short; at least ${formatDuration(least)}`);
    if (ms > most) throw new RangeError(`"${String(value)}" is too long; at most ${formatDuration(most)}`);
    return ms;
  });
}

/** A size; comes back in bytes. */
export function bytes(least = 0): z.ZodType<number> {
  return parsed((value) => {
    const size = parseBytes(typeof value === 'number' ? String(value) : textOf(value));
    if (size < least) throw new RangeError(`${shown(value)} is too small; at least ${formatBytes(least)}`);
    return size;
  });
}

/** A whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number): z.ZodType<number> {
  return parsed((value) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new RangeError(`${shown(value)} is not a whole number from ${least} to ${most}`);
  });
}

/** Text; a number or boolean needs quotes. */
export function text(): z.ZodType<string> {
  return parsed(textOf);
}

/** The name of an MDS. */
export function mdsName(): z.ZodType<string> {
  return parsed((value) => {
    const name = textOf(value);
    if (isMdsName(name)) return name;
    throw new RangeError(`"${name}" is not an MDS name; ${MDS_NAME_RULE}`);
  });
}

/** The name of a directory. */
export function directoryName(): z.ZodType<string> {
  return parsed((value) => {
    const name = textOf(value);
    if (DIRECTORY_NAME.test(name)) return name;
    throw new RangeError(`"${name}" is not a directory name; use 1 to 32 of a to z, 0 to 9 and hyphens`);
  });
}

/** An absolute path without `.`, `..` or empty parts; a slash at the end is taken off. The whole disk is refused. */
export function absolutePath(): z.ZodType<string> {
  return parsed((value) => {
    const given = textOf(value);
    if (!given.startsWith('/')) throw new RangeError(`"${given}" is not an absolute path; begin it with /`);
    if (given.includes('\0')) throw new RangeError(`"${given}" contains a NUL byte`);
    const trimmed = given.replace(/\/+$/, '');
    if (trimmed === '') throw new RangeError('"/" would be the whole disk; name a folder');
    const normal = posix.normalize(trimmed);
    if (normal !== trimmed) throw new RangeError(`"${given}" is not a normal path; write ${normal}`);
    return trimmed;
  });
}

/** A value as written in the file, for messages such as "… is not …". */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'an empty value';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : JSON.stringify(value);
}

function textOf(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  if (value === undefined) throw new RangeError('this key is required');
  if (value === '') throw new RangeError('this key must not be empty');
  const scalar = typeof value === 'number' || typeof value === 'boolean';
  throw new RangeError(`${shown(value)} is not text${scalar ? '; put it in quotes' : ''}`);
}
