import type { Place } from './finding.ts';

/** A dependency of one file on another: by an `#include`, a template, the base of a `(+)`, or a section that it continues. */
export type Need = {
  readonly path: string;
  readonly line: number;
  readonly kind: 'include' | 'template' | 'base' | 'section';
  /** The include as it is written, or the section's name. */
  readonly name: string;
  /** The file that provides it. */
  readonly from: string;
};

/** The dependencies between files, as far as they were read. */
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
 * The files whose findings may change with these: they themselves, the files that they include (directly or not), and
 * all files that depend on any of those. Further includes of a depending file are not among them.
 */
export function closureOf(changed: Iterable<string>, needs: readonly Need[]): Set<string> {
  const included = grown(changed, needs, ({ path, from, kind }) =>
    kind === 'include' ? [path, from] : undefined,
  );
  return grown(included, needs, ({ path, from }) => [from, path]);
}

/** The transitive closure over pairs [from, to]. */
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
