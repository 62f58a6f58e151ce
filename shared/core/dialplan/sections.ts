import { decodeName } from '../path/nameBytes.ts';
import type { Findings, Place } from './finding.ts';
import { stripBlanks } from './lines.ts';
import type { ConfigLine } from './lines.ts';

/** A `name = value` line, or one that a section took over from its template. */
export type Setting = { readonly place: Place; readonly name: string; value: string };

/**
 * A `[section]`. `outside` is one that began before this folder was read, so that what it holds already is not
 * known; `mixed` is one into which an include may have put lines of its own.
 */
export type Section = {
  readonly name: string;
  isTemplate: boolean;
  readonly outside: boolean;
  mixed: boolean;
  /** It comes after a place where Asterisk gave up. */
  readonly unread: boolean;
  readonly settings: Setting[];
};

export type SectionsContext = {
  /** Whether Asterisk finds at least one regular file under this name or pattern, as written in the include. */
  readonly exists: (path: string) => boolean;
  readonly findings: Findings;
};

const REST_IS_LOST = 'Asterisk drops the rest of this file and every file after it';

/** The sections of all files of a folder, read one after the other as Asterisk does. */
export class Sections {
  readonly all: Section[] = [];
  readonly #context: SectionsContext;
  #current: Section | undefined;
  #isBroken = false;

  constructor(context: SectionsContext) {
    this.#context = context;
  }

  /** Takes one file's lines. Returns the place from which on Asterisk reads nothing more, if there is one. */
  readFile(lines: readonly ConfigLine[]): Place | undefined {
    for (const [index, line] of lines.entries()) {
      if (index === 0 && !line.text.startsWith('[')) this.#startWithoutHeader(line);
      if (!this.#readLine(line)) return line.place;
    }
    return undefined;
  }

  /** Goes on after a broken file as if it had been read, so that later files are checked for their own sake. */
  goOnAfterBreak(): void {
    this.#current = undefined;
    this.#isBroken = true;
  }

  /** False when Asterisk gives up here. */
  #readLine({ place, text }: ConfigLine): boolean {
    if (text.startsWith('[')) return this.#header(place, text);
    if (text.startsWith('#')) return this.#directive(place, text);
    return this.#setting(place, text);
  }

  #startWithoutHeader({ place, text }: ConfigLine): void {
    if (text.startsWith('#')) return;
    if (this.#current === undefined) {
      this.#context.findings.warning(
        place,
        'The file begins without a [section]: Asterisk adds its first lines to whatever section it read before.',
      );
    } else {
      this.#context.findings.warning(
        place,
        `The file begins without a [section]: Asterisk adds its first lines to [${shown(this.#current.name)}] of the file before.`,
      );
    }
  }

  #header(place: Place, text: string): boolean {
    const { findings } = this.#context;
    const end = text.indexOf(']');
    if (end === -1) {
      findings.restLost('error', place, `The section header has no closing ']': ${REST_IS_LOST}.`);
      return false;
    }
    const name = text.slice(1, end);
    const section: Section = {
      name,
      isTemplate: false,
      outside: false,
      mixed: false,
      unread: this.#isBroken,
      settings: [],
    };
    if (text[end + 1] !== '(') {
      this.#open(section);
      return true;
    }
    const close = text.indexOf(')', end + 2);
    if (close === -1) {
      findings.restLost('error', place, `The section header has no closing ')': ${REST_IS_LOST}.`);
      return false;
    }
    this.#applyOptions(section, text.slice(end + 2, close).split(','), place);
    return true;
  }

  #applyOptions(section: Section, options: readonly string[], place: Place): void {
    let opened = section;
    for (const option of options) {
      if (option === '!') {
        opened.isTemplate = true;
      } else if (option.startsWith('+')) {
        const base = this.all.find((other) => sameName(other.name, section.name) && !other.isTemplate);
        if (base === undefined) {
          this.#context.findings.restLost(
            'warning',
            place,
            `[${shown(section.name)}](+) adds to a section that this folder does not define before: without one elsewhere, ${REST_IS_LOST}.`,
          );
          opened = { ...section, outside: true };
        } else {
          base.settings.push(...opened.settings.splice(0));
          opened = base;
        }
      } else {
        this.#inherit(opened, option, place);
      }
    }
    if (this.all.includes(opened)) this.#current = opened;
    else this.#open(opened);
  }

  #inherit(section: Section, from: string, place: Place): void {
    const base = this.all.find((other) => sameName(other.name, from));
    if (base !== undefined) {
      section.settings.push(...base.settings.map((setting) => ({ ...setting })));
      section.mixed ||= base.mixed;
      return;
    }
    section.mixed = true;
    this.#context.findings.restLost(
      'warning',
      place,
      `The template [${shown(from)}] is not defined before in this folder: without one elsewhere, ${REST_IS_LOST}.`,
    );
  }

  #open(section: Section): void {
    this.#current = section;
    this.all.push(section);
  }

  #directive(place: Place, text: string): boolean {
    const { findings, exists } = this.#context;
    const word = /^#([^\0- \x80-\xff]*)/.exec(text)?.[1] ?? '';
    const argument = unquoted(stripBlanks(text.slice(word.length + 2)));
    const name = word.toLowerCase();
    if (name !== 'include' && name !== 'tryinclude' && name !== 'exec') {
      findings.error(place, `Asterisk knows no #${shown(word)} and drops the line.`);
      return true;
    }
    if (argument === '') {
      findings.error(place, `#${name} names nothing: Asterisk drops the line.`);
      return true;
    }
    if (this.#current !== undefined) this.#current.mixed = true;
    if (name === 'exec') {
      findings.warning(
        place,
        '#exec runs a program at every reload, where execincludes is on; elsewhere Asterisk drops the line.',
      );
      return true;
    }
    if (name === 'tryinclude' || exists(shown(argument))) return true;
    findings.restLost(
      'error',
      place,
      `#include of ${shown(argument)}, which does not exist: ${REST_IS_LOST}.`,
    );
    return false;
  }

  #setting(place: Place, text: string): boolean {
    const { findings } = this.#context;
    const isEscaped = text.startsWith('\\');
    const line = isEscaped ? text.slice(1) : text;
    if (isEscaped && (line === '' || line.charCodeAt(0) <= 32)) {
      findings.restLost(
        'error',
        place,
        `The line begins with a backslash that escapes nothing: ${REST_IS_LOST}.`,
      );
      return false;
    }
    const equals = line.indexOf('=', isEscaped ? 1 : 0);
    if (equals === -1) {
      findings.error(
        place,
        'The line is neither a [section] nor name = value nor name => value: Asterisk drops it.',
      );
      return true;
    }
    const isAppending = equals > (isEscaped ? 1 : 0) && line[equals - 1] === '+';
    const name = stripBlanks(line.slice(0, isAppending ? equals - 1 : equals));
    const after = line.slice(equals + 1);
    const current = this.#currentOrOutside();
    const last = isAppending ? current.settings.findLast((setting) => setting.name === name) : undefined;
    if (last !== undefined) {
      last.value = stripBlanks(last.value + after);
      return true;
    }
    if (name === '') {
      findings.error(place, 'There is no name before the equals sign: Asterisk drops the line.');
      return true;
    }
    const value = stripBlanks(!isAppending && after.startsWith('>') ? after.slice(1) : after);
    current.settings.push({ place, name, value });
    return true;
  }

  #currentOrOutside(): Section {
    if (this.#current === undefined) {
      this.#open({
        name: '',
        isTemplate: false,
        outside: true,
        mixed: true,
        unread: this.#isBroken,
        settings: [],
      });
    }
    return this.#current as Section;
  }
}

function unquoted(argument: string): string {
  const closing = argument.startsWith('"') ? '"' : argument.startsWith('<') ? '>' : undefined;
  if (closing === undefined || !argument.endsWith(closing)) return argument;
  return argument.slice(1, -1);
}

/** Section names are compared without regard to ASCII case here, though contexts are told apart by it. */
function sameName(a: string, b: string): boolean {
  return a.length === b.length && a.toLowerCase() === b.toLowerCase();
}

/** Bytes kept as Latin-1, as a person reads them. */
export function shown(text: string): string {
  return decodeName(Buffer.from(text, 'latin1'));
}
