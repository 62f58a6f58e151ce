import { stripBlanks } from '../lines.ts';
import type { Section } from './section.ts';

/** Sections in the order in which Asterisk reads them, found by name as Asterisk finds them. */
export class SectionIndex {
  readonly all: Section[] = [];
  readonly #byName = new Map<string, Section[]>();

  add(section: Section): void {
    this.all.push(section);
    const name = asciiLower(section.name);
    const namesakes = this.#byName.get(name);
    if (namesakes === undefined) this.#byName.set(name, [section]);
    else namesakes.push(section);
  }

  /** The section or template that a header inherits from; the first of all sections for an empty name. */
  template(name: string): Section | undefined {
    return this.#named(name)[0];
  }

  /**
   * The section that a `(+)` adds to; for an empty name, the first that fits.
   * @param filter the text after the plus sign, as in `[a](+TEMPLATES=include)`
   */
  base(name: string, filter: string): Section | undefined {
    return this.#named(name).find((section) => fits(section, filter));
  }

  #named(name: string): readonly Section[] {
    return name === '' ? this.all : (this.#byName.get(asciiLower(name)) ?? []);
  }
}

/**
 * Whether a section has what a filter requires: a setting for each `name=value`.
 *
 * Source: does_category_match in Asterisk 16's main/config.c.
 */
function fits({ isTemplate, settings }: Section, filter: string): boolean {
  if (filter === '') return !isTemplate;
  let allowsTemplates = false;
  for (const part of filter.split('&')) {
    const [name = '', value] = part.split('=').map(stripBlanks);
    if (value === undefined) return false;
    if (name === 'TEMPLATES') {
      const isRestricted = value.toLowerCase() === 'restrict';
      if (!isRestricted && value.toLowerCase() !== 'include') return false;
      if (isRestricted && !isTemplate) return false;
      allowsTemplates ||= isTemplate;
    } else if (!settings.some((each) => mayMatch(name, each.name) && mayMatch(value, each.value))) {
      return false;
    }
  }
  return !isTemplate || allowsTemplates;
}

/** Only Asterisk runs regular expressions; one with special characters counts as matching. */
function mayMatch(pattern: string, text: string): boolean {
  return /[\\^$.|?*+()[{]/.test(pattern) || text.includes(pattern);
}

/** Section names are compared ignoring ASCII case here, although contexts are case-sensitive. */
function asciiLower(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
