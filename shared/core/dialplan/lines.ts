import type { Findings, Place } from './finding.ts';

/** Asterisk reads a line into a buffer of this size, its end marker included; a longer line is skipped. */
const LINE_BUFFER = 8192;

/** Lines that are read in one step: many of them are empty or comments. */
const LINES_OF_STEP = 64;

/** Longest line that is searched for blocks of comments although Asterisk skips it. */
const LONGEST_COMMENT = 2 * LINE_BUFFER;

const BYTE_ORDER_MARK = '\xEF\xBB\xBF';

/** One line as Asterisk reads it: comments removed, blanks trimmed, never empty. Bytes are kept as Latin-1. */
export type ConfigLine = { readonly place: Place; readonly text: string };

/**
 * The state that continues from file to file of one `#include`: the line number, and an open block comment.
 */
export type ReadingState = { counted: number; depth: number; openedAt: Place | undefined };

/** The state at the beginning of an include. */
export function newReading(): ReadingState {
  return { counted: 0, depth: 0, openedAt: undefined };
}

/**
 * Reads one file's lines the way Asterisk's configuration reader does, and updates `state`. It reads no further than its
 * caller asks, and yields undefined after some lines, when the caller may do something else.
 */
export function* readLines(
  path: string,
  content: Buffer,
  state: ReadingState,
  findings: Findings,
): Generator<ConfigLine | undefined, void, void> {
  const chunks = new Chunks(content.toString('latin1'));
  while (!chunks.ended) {
    state.counted += 1;
    if (state.counted % LINES_OF_STEP === 0) yield undefined;
    const raw = chunks.next();
    if (raw === undefined) break;
    const place: Place = { path, line: chunks.line, counted: state.counted };
    let text = beforeNul(raw, place, findings);
    if (isTooLong(text)) {
      const rest = chunks.restOfLongLine();
      const message = `The line is longer than ${String(LINE_BUFFER - 2)} bytes: Asterisk skips it.`;
      if (isComment(`${text}${rest}`, place, state)) findings.warning(place, message);
      else findings.error(place, message);
      continue;
    }
    if (text.startsWith(BYTE_ORDER_MARK)) {
      if (state.counted === 1) text = text.slice(BYTE_ORDER_MARK.length);
      noteByteOrderMark(state.counted === 1, place, findings);
    }
    const kept = withoutComments(text, place, state);
    if (kept !== '') yield { place, text: kept };
  }
}

function noteByteOrderMark(isFirstFile: boolean, place: Place, findings: Findings): void {
  if (isFirstFile) {
    findings.warning(
      place,
      'The file begins with a byte order mark, which Asterisk only skips in the first file of the folder: save it as UTF-8 without BOM.',
    );
  } else {
    findings.error(
      place,
      'The file begins with a byte order mark, which hides its first line from Asterisk: save it as UTF-8 without BOM.',
    );
  }
}

function beforeNul(raw: string, place: Place, findings: Findings): string {
  const end = raw.indexOf('\0');
  if (end === -1) return raw;
  findings.binary(place);
  findings.warning(place, 'The line holds a NUL byte: Asterisk reads it only up to there.');
  return raw.slice(0, end);
}

function isTooLong(chunk: string): boolean {
  return chunk.length === LINE_BUFFER - 1 && !chunk.endsWith('\n');
}

/** True when nothing is lost with a line: it holds comments only, and leaves no block of them open or closed. */
function isComment(line: string, place: Place, state: ReadingState): boolean {
  if (state.depth !== 0 && !/--;|;--(?!-)/.test(line)) return true;
  if (state.depth === 0 && line.trimStart().startsWith(';') && !/;--(?!-)/.test(line)) return true;
  // Not worth the time: what is longer than this is no comment that a person wrote.
  if (line.length > LONGEST_COMMENT) return false;
  const after = { ...state };
  return withoutComments(line, place, after) === '' && after.depth === state.depth;
}

/** What C's fgets returns call by call: up to a newline, but never more than the buffer holds. */
class Chunks {
  readonly #text: string;
  #at = 0;
  #startedLines = 0;
  #ended = false;
  #atLineStart = true;

  constructor(text: string) {
    this.#text = text;
  }

  /** True once a read reached the end; for a file that ends in a newline, that is one read later. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The number of the line that the last chunk belongs to, from 1. */
  get line(): number {
    return this.#startedLines;
  }

  /** Skips a line whose first chunk was too long, and returns what followed that chunk. */
  restOfLongLine(): string {
    const chunks: string[] = [];
    for (let isOpen = true; isOpen;) {
      const chunk = this.next();
      chunks.push(chunk ?? '');
      isOpen = chunk !== undefined && isTooLong(chunk);
    }
    return chunks.join('');
  }

  next(): string | undefined {
    const room = this.#at + LINE_BUFFER - 1;
    const newline = this.#text.indexOf('\n', this.#at);
    const end = Math.min(newline === -1 ? this.#text.length : newline + 1, room);
    const chunk = this.#text.slice(this.#at, end);
    if (end === this.#text.length && !chunk.endsWith('\n') && chunk.length < LINE_BUFFER - 1)
      this.#ended = true;
    if (chunk === '') return undefined;
    if (this.#atLineStart) this.#startedLines += 1;
    this.#atLineStart = chunk.endsWith('\n');
    this.#at = end;
    return chunk;
  }
}

/**
 * Removes `; …` and the nesting `;-- … --;`, and the backslash of `\;`, in a copy of the line that ends in NUL like
 * Asterisk's buffer: the result depends on how Asterisk cuts and joins the text in place.
 */
function withoutComments(text: string, place: Place, state: ReadingState): string {
  let buffer = `${text}\0`;
  let from = 0;
  let kept = state.depth === 0 ? 0 : undefined;
  for (let at = semicolon(buffer, from); at !== -1; at = semicolon(buffer, from)) {
    if (at > from && buffer[at - 1] === '\\') {
      buffer = buffer.slice(0, at - 1) + buffer.slice(at);
      from = at;
    } else if (buffer.startsWith('--', at + 1) && buffer[at + 3] !== '-') {
      buffer = endAt(buffer, at);
      from = at + 3;
      state.depth += 1;
      if (state.depth === 1) state.openedAt = place;
    } else if (at >= from + 2 && buffer.startsWith('--', at - 2)) {
      // Without a block to close, the depth falls below zero, and all that follows counts as comment.
      state.depth -= 1;
      from = at + 1;
      if (state.depth < 0) state.openedAt = place;
      if (state.depth !== 0) continue;
      state.openedAt = undefined;
      if (kept === undefined) {
        kept = from;
      } else {
        const end = buffer.indexOf('\0', kept);
        buffer = buffer.slice(0, end) + buffer.slice(from);
        from = end;
      }
    } else if (state.depth === 0) {
      buffer = endAt(buffer, at);
      from = at;
    } else {
      from = at + 1;
    }
  }
  return kept === undefined ? '' : stripBlanks(buffer.slice(kept, buffer.indexOf('\0', kept)));
}

function semicolon(buffer: string, from: number): number {
  const at = buffer.indexOf(';', from);
  const end = buffer.indexOf('\0', from);
  return at !== -1 && at < end ? at : -1;
}

function endAt(buffer: string, at: number): string {
  return `${buffer.slice(0, at)}\0${buffer.slice(at + 1)}`;
}

/** Trims every byte up to the space, as Asterisk does; a Latin-1 or UTF-8 blank stays. */
export function stripBlanks(text: string): string {
  let start = 0;
  while (start < text.length && text.charCodeAt(start) <= 32) start += 1;
  return stripEnd(text.slice(start));
}

/** The same at the end only. */
export function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) <= 32) end -= 1;
  return text.slice(0, end);
}
