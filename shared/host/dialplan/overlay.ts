import path from 'node:path';
import type { DialplanContent } from '#core/dialplan/world.ts';
import { linkTarget, namesIn, readContent, sameContent } from './files.ts';

/** What a change set puts at a path: a file's content, a link, a folder; undefined for a removal. */
export type Put = DialplanContent | { readonly linkTo: string } | 'folder' | undefined;

/** Longest chain of links that Linux follows. */
const MAX_LINKS = 40;

/** A folder as it will be once a change set is visible. Links are resolved in that future state. */
export class Overlay {
  readonly #folder: string;
  readonly #changed: ReadonlyMap<string, Put>;
  readonly #travels: (path: string) => boolean;

  /**
   * @param changed by path below the folder
   * @param travels whether a path is included; other paths appear as missing
   */
  constructor(
    folder: string,
    changed: ReadonlyMap<string, Put>,
    travels: (path: string) => boolean = () => true,
  ) {
    this.#folder = folder;
    this.#changed = changed;
    this.#travels = travels;
  }

  /** The names in a folder; '' for the root of the overlay. */
  list(below: string): string[] {
    const names = new Set(namesIn(path.join(this.#folder, below)));
    const prefix = below === '' ? '' : `${below}/`;
    for (const [at, put] of this.#changed) {
      if (!at.startsWith(prefix)) continue;
      const rest = at.slice(prefix.length);
      const [name = ''] = rest.split('/');
      if (put !== undefined) names.add(name);
      else if (rest === name) names.delete(name);
    }
    // A folder that exists only because of files in this set.
    for (const [at, put] of this.#changed)
      if (put !== undefined && at.startsWith(prefix)) names.add(at.slice(prefix.length).split('/')[0] ?? '');
    return [...names].filter((name) => this.#travels(`${prefix}${name}`));
  }

  /** @param like returned itself when the file has this content */
  read(below: string, like?: DialplanContent): DialplanContent | undefined {
    let at = below;
    for (let links = 0; links < MAX_LINKS; links++) {
      if (!this.#travels(at)) return undefined;
      const put = this.#changed.get(at);
      if (put === undefined && this.#changed.has(at)) return undefined;
      if (put === 'folder') return undefined;
      if (put !== undefined && !('linkTo' in put)) return sameContent(put, like) ? like : put;
      const target = put?.linkTo ?? linkTarget(path.join(this.#folder, at));
      if (target === undefined || path.isAbsolute(target))
        return readContent(path.join(this.#folder, at), like);
      const next = path.posix.join(path.posix.dirname(at), target);
      if (next.startsWith('..')) return readContent(path.join(this.#folder, at), like);
      at = next;
    }
    return undefined;
  }
}
