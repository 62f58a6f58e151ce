import type { Entry } from '#core/manifest/entry.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import { isBelow, parentOf } from '#core/path/relative.ts';
import type { Tree } from '#core/plan/tree.ts';
import { foldersAbove } from './names.ts';

/** What the program sees for a while instead of what is there: a file being written, a folder that can't be read. */
export type Blur = { readonly path: string; readonly state: PathState };

const SPECIAL: PathState = { kind: 'special', what: 'a fifo' };

/** One host's directory in memory: entries, overrides and trash. Parents are always folders. */
export class Side implements Tree {
  held: string | undefined;
  readonly name: string;
  readonly trash = new Set<string>();
  /** Contents of overrides; the program must not know them. */
  readonly overrides = new Map<string, string>();
  blur: Blur | undefined;
  /** Called for each path that is not there any more, with what it held. */
  onGone: (path: string, last: Entry | undefined) => void = () => {};
  readonly #nodes = new Map<string, Entry | 'special'>();

  constructor(name: string) {
    this.name = name;
  }

  get(path: string): PathState | undefined {
    if (this.blur && (path === this.blur.path || isBelow(path, this.blur.path))) {
      if (this.blur.state.kind === 'unreadable' || this.#nodes.has(path)) return this.blur.state;
    }
    const node = this.#nodes.get(path);
    if (node === undefined) return undefined;
    return node === 'special' ? SPECIAL : { kind: 'settled', entry: node };
  }

  paths(): Iterable<string> {
    return this.#nodes.keys();
  }

  *childrenOf(folder: string): Iterable<string> {
    for (const path of this.#nodes.keys()) if (parentOf(path) === folder) yield path;
  }

  holdsOverride(folder: string): boolean {
    for (const path of this.overrides.keys()) if (isBelow(path, folder)) return true;
    return false;
  }

  /** What is really there. */
  at(path: string): Entry | 'special' | undefined {
    return this.#nodes.get(path);
  }

  entryAt(path: string): Entry | undefined {
    const node = this.#nodes.get(path);
    return node === 'special' ? undefined : node;
  }

  isFolder(path: string): boolean {
    return path === '' || this.entryAt(path)?.type === 'folder';
  }

  isEmpty(folder: string): boolean {
    return !this.holdsOverride(folder) && this.below(folder).length === 0;
  }

  below(folder: string): string[] {
    return [...this.#nodes.keys()].filter((path) => isBelow(path, folder));
  }

  /** Puts something at a path whose parent is a folder. What a folder held is gone when it is none any more. */
  put(path: string, node: Entry | 'special'): void {
    if (node === 'special' || node.type !== 'folder') this.#clear(path);
    this.#nodes.set(path, node);
  }

  /** A removal with everything below, overrides too. */
  remove(path: string): void {
    this.#clear(path);
    const last = this.#nodes.get(path);
    if (this.#nodes.delete(path)) this.onGone(path, last === 'special' ? undefined : last);
  }

  /** Everything at and below a path is kept in the trash. */
  keepInTrash(path: string): void {
    for (const each of [path, ...this.below(path)]) {
      const entry = this.entryAt(each);
      if (entry?.type === 'file') this.trash.add(entry.hash);
    }
  }

  /** Contents of files that are live here. */
  *contents(): Iterable<string> {
    for (const node of this.#nodes.values()) if (node !== 'special' && node.type === 'file') yield node.hash;
  }

  /** @throws when something lies in what is no folder */
  checkParents(): void {
    for (const path of [...this.#nodes.keys(), ...this.overrides.keys()]) {
      const inside = path.indexOf('xds_override');
      const own = inside === -1 ? path : `${path.slice(0, inside)}x`;
      for (const folder of foldersAbove(own)) {
        if (!this.isFolder(folder))
          throw new Error(`${this.name}: ${path} lies in ${folder}, which is no folder`);
      }
    }
  }

  #clear(folder: string): void {
    for (const path of this.below(folder)) {
      const last = this.#nodes.get(path);
      this.#nodes.delete(path);
      this.onGone(path, last === 'special' ? undefined : last);
    }
    for (const path of this.overrides.keys()) if (isBelow(path, folder)) this.overrides.delete(path);
  }
}
