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
 * The files that a change of some can make right or wrong: these themselves, what they include, which is read with
 * their sections, and all that lean on any of these; over any number of steps. What else an includer includes is not
 * among them.
 */
export function closureOf(changed: Iterable<string>, needs: readonly Need[]): Set<string> {
  const included = grown(changed, needs, ({ path, from, kind }) =>
    kind === 'include' ? [path, from] : undefined,
  );
  return grown(included, needs, ({ path, from }) => [from, path]);
}

/** Follows `step` from the file it names first to the one that it names second, as far as that leads. */
function grown(
  start: Iterable<string>,
  needs: readonly Need[],
  step: (need: Need) => readonly [string, string] | undefined,
): Set<string> {
  const set = new Set(start);
  for (let grew = true; grew;) {
    const before = set.size;
    for (const need of needs) {
      const [from, to] = step(need) ?? [];
      if (from !== undefined && to !== undefined && set.has(from)) set.add(to);
    }
    grew = set.size > before;
  }
  return set;
}
