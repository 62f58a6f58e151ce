import { parentOf } from '#core/path/relative.ts';

/** What a scan found in a folder, as digests. */
export type ConfirmedFolder = {
  /** Of the names, when every known path of the folder was among them; before that is certain, empty. */
  names: string;
  /** Of the versions of the files, part by part; empty where one of them is not known as it was found. */
  readonly parts: string[];
};

/**
 * The folders that a scan found as they are known. What equals these digests needs no comparison name by name, in which
 * most of the time of a full pass went. A folder is forgotten as soon as one of its paths becomes known in another way.
 */
export class ConfirmedFolders {
  readonly #folders = new Map<string, ConfirmedFolder>();

  get(folder: string): ConfirmedFolder | undefined {
    return this.#folders.get(folder);
  }

  /** A scan of a folder begins, and fills what it returns in, which has no effect if the folder is forgotten meanwhile. */
  begin(folder: string): ConfirmedFolder {
    const confirmed: ConfirmedFolder = { names: '', parts: [] };
    this.#folders.set(folder, confirmed);
    return confirmed;
  }

  /** What is known of a path changes. */
  forget(path: string): void {
    if (this.#folders.size === 0) return;
    this.#folders.delete(parentOf(path));
    this.#folders.delete(path);
  }
}
