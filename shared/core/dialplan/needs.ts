import type { Place } from './finding.ts';

/** One file leans on another: by an `#include`, a template, the base of a `(+)`, or a section that it goes on with. */
export type Need = {
  readonly path: string;
  readonly line: number;
  readonly kind: 'include' | 'template' | 'base' | 'section';
  /** The include as it is written, or the section's name. */
  readonly name: string;
  /** The file that has it. */
  readonly from: string;
};

/** Who leans on whom, as far as it was read. */
export class Needs {
  readonly #kept = new Map<string, Need>();

  add({ path, line }: Place, kind: Need['kind'], name: string, from: string): void {
    if (path === from) return;
    this.#kept.set([path, line, kind, name, from].join('\0'), { path, line, kind, name, from });
  }

  list(): Need[] {
    return [...this.#kept.values()];
  }
}

/**
 * The files that a change of some can make right or wrong: these themselves, all that lean on them, and what they
 * pull in; over any number of steps.
 */
export function closureOf(changed: Iterable<string>, needs: readonly Need[]): Set<string> {
  const closure = new Set(changed);
  for (let grew = true; grew;) {
    const before = closure.size;
    for (const { path, from, kind } of needs) {
      if (closure.has(from)) closure.add(path);
      // What an include pulls in is read in the place, and with the sections, of the file that includes it.
      if (kind === 'include' && closure.has(path)) closure.add(from);
    }
    grew = closure.size > before;
  }
  return closure;
}
