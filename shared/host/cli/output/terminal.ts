import { EXIT } from '../exitCodes.ts';

/**
 * The only output of commands: all of standard output and standard error goes through here. Text from outside (file
 * names, messages of an MDS, a peer's errors) can't move the cursor, forge a line, or reorder text.
 */

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';
/** A piece of a line. */
export type Span = string | { readonly text: string; readonly style: Style };
export type Line = string | readonly Span[];

const CODES: Readonly<Record<Style, string>> = { bold: '1', dim: '2', red: '31', yellow: '33', green: '32' };

/** Controls, line ends, invisible and reordering characters, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Control characters that JSON.stringify does not escape. */
const UNSAFE_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

let outlives = false;
/** Lines on standard error that the next ones replace. */
let drawn = 0;

/** Prints a line on standard output. */
export function print(line: Line = ''): void {
  redraw([]);
  process.stdout.write(`${rendered(line, wantsColour(process.stdout))}\n`);
}

/** Prints a line on standard error. */
export function printError(line: Line): void {
  redraw([]);
  process.stderr.write(`${rendered(line, wantsColour(process.stderr))}\n`);
}

/** Prints a value as JSON; every control character in it is escaped as JSON does. */
export function printJson(value: unknown): void {
  redraw([]);
  process.stdout.write(`${jsonText(value)}\n`);
}

/** Whether lines on standard error can be replaced. */
export function canRedraw(): boolean {
  return process.stderr.isTTY && process.env['TERM'] !== 'dumb';
}

/** Replaces the lines that were drawn before on standard error; whatever else is printed clears them away. */
export function redraw(lines: readonly string[]): void {
  if (drawn === 0 && lines.length === 0) return;
  const width = Math.max(20, process.stderr.columns || 80) - 1;
  const text = lines.map((line) => `${safe(line).slice(0, width)}\n`).join('');
  process.stderr.write(`${drawn === 0 ? '' : `\u001b[${drawn}A\u001b[J`}${text}`);
  drawn = lines.length;
}

/** JSON as commands print it: indented, with control and direction characters escaped. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(UNSAFE_IN_JSON, (character) =>
    Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** Overwrites the previous output, on a terminal only. */
export function clearScreen(): void {
  if (process.stdout.isTTY) process.stdout.write('\u001b[H\u001b[2J\u001b[3J');
}

/** Escapes a text to one line without control sequences. A backslash stays as it is. */
export function safe(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
    return `\\u{${code.toString(16)}}`;
  });
}

/** A line without its styles. */
export function plain(line: Line): string {
  return rendered(line, false);
}

/** Characters of a line, as a terminal shows them; combining marks take no column. */
export function widthOf(line: Line): number {
  return Array.from(plain(line).replace(/\p{M}/gu, '')).length;
}

/** Columns of the terminal; 80 when the output is not a terminal. */
export function columns(): number {
  return process.stdout.isTTY ? terminalWidth() : 80;
}

/** Columns that a line may have; when the output is not a terminal, a program reads it, line by line. */
export function terminalWidth(): number {
  return process.stdout.isTTY ? Math.max(40, process.stdout.columns) : Infinity;
}

/**
 * Ends the command without a stack when its output can't be written: the reader has gone (`status | head -1`) or the
 * disk behind `> FILE` is full. Called once, by the program.
 */
export function watchTerminal(program: string): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (outlives) return;
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    const why = error.code === 'ENOSPC' ? 'no space left on device' : (error.code ?? error.message);
    printError(`${program}: standard output can't be written: ${why}`);
    process.exit(EXIT.failed);
  });
  // The error can't be reported to anyone.
  process.stderr.on('error', () => undefined);
}

/** For a daemon: it keeps running when its output can't be written. */
export function outliveTerminal(): void {
  outlives = true;
}

function wantsColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
}

function rendered(line: Line, colour: boolean): string {
  if (typeof line === 'string') return safe(line);
  return line
    .map((span) => {
      if (typeof span === 'string') return safe(span);
      const text = safe(span.text);
      return colour ? `\u001b[${CODES[span.style]}m${text}\u001b[0m` : text;
    })
    .join('');
}
