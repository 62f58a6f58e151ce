import { decodeName } from '../../path/nameBytes.ts';
import type { Findings, Place } from '../finding.ts';
import { stripBlanks, stripEnd } from '../lines.ts';
import type { Needs } from '../needs.ts';
import type { Section, Setting } from './section.ts';
import { SectionIndex } from './sectionIndex.ts';

/**
 * The state of one include: lines are added to `section`, whatever a nested include opens. `restIsLost` describes what
 * Asterisk drops when it gives up here.
 */
export type Cursor = {
  section: Section | undefined;
  readonly unread: boolean;
  readonly restIsLost: string;
};

/** Bytes that Asterisk keeps of a section's name. It searches for the whole name nevertheless. */
const LONGEST_NAME = 79;

/** Most lines that sections inherit: templates of templates may double them each time. */
const MOST_INHERITED = 500_000;

/** The sections of all files, in the order in which Asterisk reads their lines. */
export class Sections {
  /** True when unknown content comes before or was included (a program's output, a file over the size limit), which may define anything. */
  isOpaque: boolean;
  /** True when such content was included. */
  hasUnknown = false;
  readonly #findings: Findings;
  readonly #needs: Needs;
  readonly #index = new SectionIndex();
  /** Sections only grow, but for one that a `(+)` empties at once and for good. */
  readonly #last = new WeakMap<readonly Setting[], { count: number; byName: Map<string, Setting> }>();
  #inherited = 0;
  /** The section that the last header opened, a new one or a `(+)`: an include starts to add lines there. */
  #newest: Section | undefined;

  /** @param isOpaque whether the content before the first file is unknown */
  constructor(findings: Findings, needs: Needs, isOpaque: boolean) {
    this.#findings = findings;
    this.#needs = needs;
    this.isOpaque = isOpaque;
  }

  get all(): readonly Section[] {
    return this.#index.all;
  }

  begin(unread: boolean, restIsLost: string): Cursor {
    return { section: unread ? undefined : this.#newest, unread, restIsLost };
  }

  /** A file whose first line is not a header continues the section before it. */
  startWithoutHeader(cursor: Cursor, place: Place): void {
    const { section } = cursor;
    if (section === undefined) {
      this.#findings.warning(
        place,
        'The file begins without a [section]: Asterisk adds its first lines to whatever section it read before.',
      );
      return;
    }
    if (section.place !== undefined) this.#needs.add(place, 'section', section.name, section.place.path);
    this.#findings.warning(
      place,
      `The file begins without a [section]: Asterisk adds its first lines to [${shown(section.name)}] of the file before.`,
    );
  }

  /** Reads a section header. @returns false when Asterisk abandons the file here */
  header(cursor: Cursor, place: Place, text: string): boolean {
    const end = text.indexOf(']');
    if (end === -1) return this.#giveUp(cursor, place, "The section header has no closing ']'");
    const name = text.slice(1, end);
    const section: Section = {
      name: name.slice(0, LONGEST_NAME),
      place,
      isTemplate: false,
      outside: false,
      mixed: false,
      unread: cursor.unread,
      settings: [],
    };
    if (text[end + 1] !== '(') {
      this.#open(cursor, section);
      return true;
    }
    const close = text.indexOf(')', end + 2);
    if (close === -1) return this.#giveUp(cursor, place, "The section header has no closing ')'");
    return this.#applyOptions(cursor, { section, name }, text.slice(end + 2, close).split(','), place);
  }

  /** Reads `name = value`. @returns false when Asterisk abandons the file here */
  setting(cursor: Cursor, place: Place, text: string): boolean {
    if (cursor.section === undefined && !this.isOpaque && !cursor.unread)
      return this.#giveUp(cursor, place, 'There is no [section] before this line');
    const isEscaped = text.startsWith('\\');
    const line = isEscaped ? text.slice(1) : text;
    if (isEscaped && (line === '' || line.charCodeAt(0) <= 32))
      return this.#giveUp(cursor, place, 'The line begins with a backslash that escapes nothing');
    const equals = line.indexOf('=', isEscaped ? 1 : 0);
    if (equals === -1) {
      this.#findings.error(
        place,
        'The line is neither a [section] nor name = value nor name => value: Asterisk drops it.',
      );
      return true;
    }
    const isAppending = equals > (isEscaped ? 1 : 0) && line[equals - 1] === '+';
    const name = stripBlanks(line.slice(0, isAppending ? equals - 1 : equals));
    const after = line.slice(equals + 1);
    const current = this.#currentOrOutside(cursor);
    const last = isAppending ? this.#lastSettings(current).get(name) : undefined;
    if (last !== undefined) {
      last.value = last.value === '' ? stripBlanks(after) : last.value + stripEnd(after);
      return true;
    }
    if (name === '') {
      this.#findings.error(place, 'There is no name before the equals sign: Asterisk drops the line.');
      return true;
    }
    const value = stripBlanks(!isAppending && after.startsWith('>') ? after.slice(1) : after);
    current.settings.push({ place, name, value, unread: cursor.unread });
    return true;
  }

  /**
   * The file that defines each section first, by the section's name in lower case. A `(+)` to one that can't be seen
   * defines nothing.
   */
  places(): Map<string, string> {
    const places = new Map<string, string>();
    for (const { name, place, unread, outside } of this.all) {
      const key = shown(name).toLowerCase();
      if (place !== undefined && !unread && !outside && !places.has(key)) places.set(key, place.path);
    }
    return places;
  }

  /**
   * Notes unknown content, which may add lines and define sections from here on.
   * @param isOurs whether it is in the folder, not in Asterisk's own files before it
   */
  addOpaque(cursor: Cursor, isOurs: boolean): void {
    this.isOpaque = true;
    this.hasUnknown ||= isOurs;
    if (cursor.section !== undefined) cursor.section.mixed = true;
  }

  #applyOptions(
    cursor: Cursor,
    { section, name }: { readonly section: Section; readonly name: string },
    options: readonly string[],
    place: Place,
  ): boolean {
    let opened = section;
    let isKnown = false;
    for (const option of options) {
      if (option === '!') {
        opened.isTemplate = true;
      } else if (option.startsWith('+')) {
        const base = this.#find(name, (wanted) => this.#index.base(wanted, option.slice(1)));
        if (base === undefined) {
          const what = `[${shown(name)}](${shown(option)}) adds to a section that is not defined before`;
          if (!this.#missing(cursor, place, what, name)) return false;
          opened = { ...section, outside: true };
        } else {
          if (base.place !== undefined) this.#needs.add(place, 'base', base.name, base.place.path);
          addSettings(base, opened.settings.splice(0));
          base.isTemplate ||= opened.isTemplate;
          [opened, isKnown] = [base, true];
        }
      } else if (!this.#inherit(cursor, opened, option, place)) return false;
    }
    if (!isKnown) this.#index.add(opened);
    this.#enter(cursor, opened);
    return true;
  }

  #inherit(cursor: Cursor, section: Section, from: string, place: Place): boolean {
    const base = this.#find(from, (name) => this.#index.template(name));
    if (base === undefined) {
      section.mixed = true;
      return this.#missing(cursor, place, `The template [${shown(from)}] is not defined before`, from);
    }
    if (base.place !== undefined) this.#needs.add(place, 'template', base.name, base.place.path);
    this.#inherited += base.settings.length;
    if (this.#inherited > MOST_INHERITED) {
      this.#findings.warning(place, 'Sections inherit too many lines: what this one inherits is not judged.');
      [section.mixed, this.isOpaque, this.hasUnknown] = [true, true, true];
      return true;
    }
    // Taken over by a header that Asterisk does not come to, they are not read there.
    const isUnread = cursor.unread;
    addSettings(
      section,
      base.settings.map((setting) => ({ ...setting, unread: setting.unread || isUnread })),
    );
    section.mixed ||= base.mixed;
    return true;
  }

  /** The last line of each name, for lines that append to it. */
  #lastSettings({ settings }: Section): ReadonlyMap<string, Setting> {
    const known = this.#last.get(settings) ?? { count: 0, byName: new Map<string, Setting>() };
    this.#last.set(settings, known);
    for (; known.count < settings.length; known.count += 1) {
      const setting = settings[known.count];
      if (setting !== undefined) known.byName.set(setting.name, setting);
    }
    return known.byName;
  }

  /** An empty name means the first section of all, which may come before what is known. */
  #find(name: string, find: (name: string) => Section | undefined): Section | undefined {
    return name === '' && this.isOpaque ? undefined : find(name);
  }

  /** @returns whether reading continues as if the section were defined in unknown content */
  #missing(cursor: Cursor, place: Place, what: string, name: string): boolean {
    // After a break, the content that Asterisk skips is unknown.
    if (cursor.unread) return true;
    const wants = shown(name).toLowerCase();
    // No file can define a section with a longer name.
    if (!this.isOpaque || name.length > LONGEST_NAME) {
      this.#findings.restLost('error', place, `${what}: ${cursor.restIsLost}.`, wants);
      return false;
    }
    this.#findings.restLost(
      'warning',
      place,
      `${what}: without one that can't be seen from here, ${cursor.restIsLost}.`,
      wants,
    );
    return true;
  }

  #giveUp(cursor: Cursor, place: Place, what: string): false {
    this.#findings.restLost('error', place, `${what}: ${cursor.restIsLost}.`);
    return false;
  }

  #open(cursor: Cursor, section: Section): void {
    this.#index.add(section);
    this.#enter(cursor, section);
  }

  #enter(cursor: Cursor, section: Section): void {
    cursor.section = section;
    if (!cursor.unread) this.#newest = section;
  }

  #currentOrOutside(cursor: Cursor): Section {
    if (cursor.section !== undefined) return cursor.section;
    const outside: Section = {
      name: '',
      place: undefined,
      isTemplate: false,
      outside: true,
      mixed: true,
      unread: cursor.unread,
      settings: [],
    };
    this.#open(cursor, outside);
    return outside;
  }
}

/** A section may have more lines than a function takes arguments. */
function addSettings(section: Section, settings: readonly Setting[]): void {
  for (const setting of settings) section.settings.push(setting);
}

/** Bytes kept as Latin-1, as a person reads them. */
export function shown(text: string): string {
  return decodeName(Buffer.from(text, 'latin1'));
}
