import { parentOf, baseOf } from '#core/path/relative.ts';
import { Folder } from './folder.ts';

/** Handles kept open at once; others are reopened when needed. */
const MAX_OPEN = 128;

/** The folders of one synchronised directory, opened one below the other and kept while a change set works in them. */
export class OpenFolders implements Disposable {
  readonly root: Folder;
  readonly #open = new Map<string, Folder>();

  /** @throws Node's fs error when the directory can't be opened */
  constructor(rootPath: string) {
    this.root = Folder.openRoot(rootPath);
  }

  /**
   * The folder at a relative path ('' for the directory itself), valid until {@link forget} or many more calls.
   * @throws ENOENT, ENOTDIR or ELOOP when a part of the path is missing or not a folder
   */
  get(path: string): Folder {
    if (path === '') return this.root;
    const known = this.#open.get(path);
    if (known) return known;
    const parent = this.get(parentOf(path));
    const folder = parent.open(baseOf(path));
    if (this.#open.size >= MAX_OPEN) this.#closeOldest(path);
    this.#open.set(path, folder);
    return folder;
  }

  /**
   * Two folders at a time.
   * @throws as {@link get}
   */
  both(one: string, other: string): readonly [Folder, Folder] {
    this.get(one);
    const second = this.get(other);
    // Opening the other may have closed the first. It is opened again at the expense of older handles than the other's.
    return [this.get(one), second];
  }

  /** Closes the handles of a folder and of those below it, before its path changes. */
  forget(path: string): void {
    for (const [known, folder] of this.#open) {
      if (known !== path && !known.startsWith(`${path}/`)) continue;
      folder.close();
      this.#open.delete(known);
    }
  }

  [Symbol.dispose](): void {
    for (const folder of this.#open.values()) folder.close();
    this.#open.clear();
    this.root.close();
  }

  /** Never evicts a parent of the current folder, whose handle may be in use by the caller. */
  #closeOldest(path: string): void {
    for (const [known, folder] of this.#open) {
      if (path.startsWith(`${known}/`)) continue;
      folder.close();
      this.#open.delete(known);
      return;
    }
  }
}
