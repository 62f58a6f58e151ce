import path from 'node:path';
import type { DialplanContent } from '#core/dialplan/world.ts';
import { linkTarget, namesIn, readContent } from './files.ts';

/** What a change set puts at a path: a file's content, a link, a folder; undefined where nothing is left. */
export type Put = DialplanContent | { readonly linkTo: string } | 'folder' | undefined;

/** As many links one after the other as Linux follows. */
const MAX_LINKS = 40;

/** A folder on disk as it will be once a change set is visible. Links lead to what is there then. */
export class Overlay {
  readonly #folder: string;
  readonly #changed: ReadonlyMap<string, Put>;
  readonly #travels: (path: string) => boolean;

  /**
   * @param changed by path below the folder
   * @param travels whether a path belongs to what is looked at; what does not is as if it were not there
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

  /** The names in a folder below; '' for the folder itself. */
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
    // A folder that only this set brings or keeps has files in it.
    for (const [at, put] of this.#changed)
      if (put !== undefined && at.startsWith(prefix)) names.add(at.slice(prefix.length).split('/')[0] ?? '');
    return [...names].filter((name) => this.#travels(`${prefix}${name}`));
  }

  read(below: string): DialplanContent | undefined {
    let at = below;
    for (let links = 0; links < MAX_LINKS; links++) {
      if (!this.#travels(at)) return undefined;
      const put = this.#changed.get(at);
      if (put === undefined && this.#changed.has(at)) return undefined;
      if (put === 'folder') return undefined;
      if (put !== undefined && !('linkTo' in put)) return put;
      const target = put?.linkTo ?? linkTarget(path.join(this.#folder, at));
      if (target === undefined || path.isAbsolute(target)) return readContent(path.join(this.#folder, at));
      const next = path.posix.join(path.posix.dirname(at), target);
      if (next.startsWith('..')) return readContent(path.join(this.#folder, at));
      at = next;
    }
    return undefined;
  }
}
