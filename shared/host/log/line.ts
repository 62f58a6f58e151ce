import { printable } from '#core/text/printable.ts';
import type { LogRecord } from './record.ts';

/** Longest value. A path has at most 4096 bytes; of a program's output the beginning is enough. */
const MAX_VALUE_LENGTH = 4096;

/** `event words key=value key="quoted value"`: one line, whatever the values hold. */
export function humanLine(record: LogRecord): string {
  return [printable(record.event), ...pairs('', record.details ?? {})].join(' ');
}

/** Escapes invisible characters, too, which JSON does not, so that a terminal can show the line. */
export function jsonLine(record: LogRecord): string {
  return record.json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

function pairs(prefix: string, details: object): string[] {
  return Object.entries(details).flatMap(([key, value]: [string, unknown]) => {
    const name = prefix + printable(key).replace(/[\s="]/g, '_');
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return pairs(`${name}.`, value);
    return [`${name}=${quoted(plain(value))}`];
  });
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return JSON.stringify(value);
  const items: unknown[] = value;
  return items.map(plain).join(',');
}

function quoted(value: string): string {
  const cut =
    value.length > MAX_VALUE_LENGTH
      ? `${value.slice(0, MAX_VALUE_LENGTH)}… (${value.length - MAX_VALUE_LENGTH} more)`
      : value;
  const safe = printable(cut);
  return /[\s"=]/.test(safe) || safe === '' ? `"${safe.replaceAll('"', '\\"')}"` : safe;
}
