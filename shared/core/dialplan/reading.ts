import { readDirective } from './directive.ts';
import type { Findings, Place } from './finding.ts';
import { encodeName } from '../path/nameBytes.ts';
import { expandGlob } from './glob.ts';
import { newReading, readLines } from './lines.ts';
import type { ConfigLine, ReadingState } from './lines.ts';
import type { Needs } from './needs.ts';
import type { Steps } from '../steps.ts';
import { type Cursor, type Sections, shown } from './sections/sections.ts';
import { type DialplanContent, type DialplanWorld, nameIn } from './world.ts';

/** Deepest nesting of includes; extensions.conf itself, the first level, is not counted. */
const MOST_LEVELS = 10;
/** Asterisk keeps a path in a buffer of 256 bytes. */
const LONGEST_PATH = 255;
/**
 * Most readings of files, and most bytes, since files that include each other may be read thousands of times. Beyond it
 * nothing is judged.
 */
const MOST_LOADS = 20_000;
const MOST_BYTES = 4 * 1024 * 1024;
/** Most bytes of one file; 10,000 extensions are about 1 MiB. What comes after them is not judged. */
const MOST_OF_FILE = 2 * 1024 * 1024;

/** One reading of a file. */
export type Load = {
  readonly path: string;
  readonly content: DialplanContent;
  /** Asterisk's line count before and after it. */
  readonly countedBefore: number;
  countedAfter: number;
};

type Ended = 'read' | 'nothing' | 'broken';

const FILE_IS_LOST = 'Asterisk drops the rest of this file';
const REST_IS_LOST = 'Asterisk drops the rest of this file and every file after it';

/**
 * Reads files in Asterisk's order, following includes. As in main/config.c, a file with a break is abandoned, and so are
 * the later files of the same include; the including file continues.
 */
export class FolderReading {
  readonly loads: Load[] = [];
  /** Files that Asterisk does not reach after a break. */
  readonly unread = new Set<string>();
  readonly #world: DialplanWorld;
  readonly #findings: Findings;
  readonly #needs: Needs;
  readonly #sections: Sections;
  /** The include depth; a file with a break never decrements it. */
  #level: number;
  #bytes = 0;
  readonly #open: string[] = [];

  constructor(
    world: DialplanWorld,
    to: { findings: Findings; needs: Needs; sections: Sections },
    level: number,
  ) {
    this.#world = world;
    this.#findings = to.findings;
    this.#needs = to.needs;
    this.#sections = to.sections;
    this.#level = level;
  }

  /** Reads the files of an include with this absolute path or pattern. */
  *load(pattern: string, unread = false, at?: { place: Place; name: string }): Steps<Ended> {
    if (this.#level > MOST_LEVELS) return 'nothing';
    this.#level += 1;
    const restIsLost = /[*?[{]/.test(pattern) ? REST_IS_LOST : FILE_IS_LOST;
    const ended = yield* this.#loadAll(expandGlob(pattern, this.#world.list), restIsLost, unread, at);
    if (ended !== 'broken') this.#level -= 1;
    return ended;
  }

  *#loadAll(
    paths: readonly string[],
    restIsLost: string,
    unread: boolean,
    at: { place: Place; name: string } | undefined,
  ): Steps<Ended> {
    let current = this.#sections.begin(unread, restIsLost);
    let reading = newReading();
    let ended: Ended = 'nothing';
    for (const path of paths) {
      yield;
      const content = isTooLong(path) ? undefined : this.#world.read(path);
      if (content === undefined) continue;
      if (at !== undefined) this.#needs.add(at.place, 'include', at.name, this.#name(path));
      if (ended === 'nothing') ended = 'read';
      if ((yield* this.#file(path, content, reading, current)) || current.unread) continue;
      ended = 'broken';
      // Files that this include does not reach are still linted.
      reading = { ...newReading(), counted: reading.counted };
      current = this.#sections.begin(true, restIsLost);
    }
    return ended;
  }

  /** @returns false when Asterisk abandons the file */
  *#file(path: string, content: DialplanContent, reading: ReadingState, cursor: Cursor): Steps<boolean> {
    const name = this.#name(path);
    const load: Load = { path: name, content, countedBefore: reading.counted, countedAfter: Infinity };
    if (cursor.unread) this.unread.add(name);
    else this.loads.push(load);
    const { bytes, size } = judgedPart(content);
    const isCut = bytes.length < size;
    if (this.loads.length > MOST_LOADS || this.#bytes > MOST_BYTES || (isCut && bytes.includes(0))) {
      this.#notRead(name, content, cursor);
      return true;
    }
    this.#bytes += bytes.length;
    this.#open.push(name);
    try {
      const lines = readLines(name, bytes, reading, this.#findings);
      const isWhole = yield* this.#lines(lines, name, cursor);
      if (isWhole && isCut) this.#notReadFurther(name, size, reading, cursor);
      else if (isWhole && !this.#findings.isFull(name)) noteOpenComment(reading, this.#findings);
      return isWhole;
    } finally {
      load.countedAfter = reading.counted;
      this.#open.pop();
    }
  }

  /** @returns false when Asterisk abandons the file */
  *#lines(lines: Iterable<ConfigLine | undefined>, name: string, cursor: Cursor): Steps<boolean> {
    let isFirst = true;
    for (const line of lines) {
      if (line === undefined) {
        yield;
        continue;
      }
      const { place, text } = line;
      if (isFirst && !/^[[#]/.test(text)) this.#sections.startWithoutHeader(cursor, place);
      isFirst = false;
      const goesOn = text.startsWith('#')
        ? yield* this.#directive(cursor, place, text)
        : text.startsWith('[')
          ? this.#sections.header(cursor, place, text)
          : this.#sections.setting(cursor, place, text);
      if (!goesOn) return false;
      if (this.#findings.isFull(name)) {
        this.#sections.addOpaque(cursor, !name.startsWith('/'));
        break;
      }
    }
    return true;
  }

  #notRead(name: string, content: DialplanContent, cursor: Cursor): void {
    this.#sections.addOpaque(cursor, !name.startsWith('/'));
    const place = { path: name, line: 1, counted: 1 };
    if (Buffer.isBuffer(content) && content.length <= MOST_OF_FILE) {
      this.#findings.warning(
        place,
        'Files include each other without end, or are too large together: nothing more is judged from here on.',
      );
      return;
    }
    const { size } = judgedPart(content);
    const what = `The file is not text, and with ${inMiB(size)} too large to be dialplan`;
    this.#findings.error(
      place,
      `${what}: Asterisk reads all of it, and drops most of it. Move it elsewhere.`,
    );
  }

  #notReadFurther(name: string, size: number, reading: ReadingState, cursor: Cursor): void {
    this.#sections.addOpaque(cursor, !name.startsWith('/'));
    const what = `The file is too large to be checked (${inMiB(size)})`;
    const place = { path: name, line: 1, counted: 1 };
    this.#findings.warning(place, `${what}: its end, and what comes after it, is not judged.`);
    [reading.depth, reading.openedAt] = [0, undefined];
  }

  *#directive(cursor: Cursor, place: Place, text: string): Steps<boolean> {
    const directive = readDirective(text);
    if (directive.kind === 'unknown') {
      this.#findings.error(place, `Asterisk knows no #${shown(directive.word)} and drops the line.`);
      return true;
    }
    if (directive.kind === 'nameless') {
      this.#findings.error(place, `#${directive.word} names nothing: Asterisk drops the line.`);
      return true;
    }
    if (directive.kind === 'exec') {
      this.#sections.addOpaque(cursor, !place.path.startsWith('/'));
      this.#findings.warning(
        place,
        '#exec runs a program at every reload, where execincludes is on; elsewhere Asterisk drops the line. What it adds is not judged.',
      );
      return true;
    }
    const name = shown(directive.argument);
    const isTooDeep = this.#level > MOST_LEVELS;
    const ended = isTooLong(name)
      ? 'nothing'
      : yield* this.load(this.#world.locate(name), cursor.unread, { place, name });
    if (ended !== 'nothing' || directive.kind === 'tryinclude') return true;
    return this.#includeFails(cursor, place, name, isTooDeep);
  }

  /** @returns false: Asterisk abandons the file */
  #includeFails(cursor: Cursor, place: Place, name: string, isTooDeep: boolean): boolean {
    if (isTooDeep && this.#open.indexOf(place.path) < this.#open.lastIndexOf(place.path)) {
      // The rest was, or will be, read by one of the outer readings of the same file.
      this.#findings.warning(
        place,
        `#include of ${name} leads back to this file: Asterisk reads it ${String(MOST_LEVELS)} levels deep and then gives up.`,
      );
      return false;
    }
    const why = isTooDeep
      ? `is more than ${String(MOST_LEVELS)} levels deep`
      : isTooLong(name)
        ? `is longer than ${String(LONGEST_PATH)} bytes`
        : 'does not exist';
    this.#findings.restLost('error', place, `#include of ${name}, which ${why}: ${cursor.restIsLost}.`);
    return false;
  }

  #name(path: string): string {
    return nameIn(this.#world.folder, path);
  }
}

/** Asterisk cuts a longer path, and finds nothing there. */
function isTooLong(path: string): boolean {
  return encodeName(path).length > LONGEST_PATH;
}

function noteOpenComment({ depth, openedAt }: ReadingState, findings: Findings): void {
  if (depth === 0 || openedAt === undefined) return;
  const what =
    depth > 0
      ? 'The block comment that begins here is not closed in this file'
      : "There is no ';--' for this '--;'";
  findings.error(
    openedAt,
    `${what}: Asterisk takes all that follows for a comment, in every file after it too.`,
  );
}

/** The whole lines at the beginning of a file that are read, and the size of the file. */
function judgedPart(content: DialplanContent): { bytes: Buffer; size: number } {
  const [known, size] = Buffer.isBuffer(content) ? [content, content.length] : [content.head, content.size];
  if (size <= MOST_OF_FILE) return { bytes: known, size };
  const end = known.lastIndexOf('\n', MOST_OF_FILE - 1);
  return { bytes: known.subarray(0, end === -1 ? MOST_OF_FILE : end + 1), size };
}

function inMiB(size: number): string {
  return `${String(Math.ceil(size / (1024 * 1024)))} MiB`;
}
