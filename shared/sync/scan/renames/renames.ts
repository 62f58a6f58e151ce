import type { OpenFolders } from '#host/fs/openFolders.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import { parentOf } from '#core/path/relative.ts';
import { isStillGone } from '../presence.ts';
import type { ChangeFeed } from '../changeFeed.ts';
import type { RootGuard } from '../rootGuard.ts';
import type { ScannedPaths } from '../scannedPaths.ts';

/**
 * Files that have another name than before. The old one is gone for good, and need not stay away for the settle time: both
 * changes are handed out together, and a host that has a copy can rename it.
 */
export class Renames {
  readonly #paths: ScannedPaths;
  readonly #guard: RootGuard;
  readonly #feed: Pick<ChangeFeed, 'whole' | 'folderRenamed'>;
  /** The folder that was last found missing, for as long as nothing else can happen. */
  #missing: string | undefined;
  /** The folder that was last reported as renamed, and its new path. */
  #reported: readonly [from: string, to: string] = ['', ''];

  constructor(paths: ScannedPaths, guard: RootGuard, feed: Pick<ChangeFeed, 'whole' | 'folderRenamed'>) {
    this.#paths = paths;
    this.#guard = guard;
    this.#feed = feed;
  }

  /**
   * Enters a file that was found under a new name with the stamp under which its content was read, ctime included, as the files
   * in a folder that was renamed have it: nothing of it has changed, so there is nothing to wait for and nothing to read.
   * @returns false when it is no such file
   */
  takeUntouched(open: OpenFolders, path: string, stamp: Stamp): boolean {
    const isTaken = this.#take(open, path, stamp);
    this.rest();
    return isTaken;
  }

  /**
   * The same for one of many files of a folder, whose stamps were read a moment ago. {@link rest} has to be called before
   * anything else may happen.
   * @returns false, too, when something is known at its path by now, which may be newer
   */
  takeUnseen(open: OpenFolders, path: string, stamp: Stamp): boolean {
    if (this.#paths.index.has(path)) return false;
    return this.#paths.takeExcluded(path, false) || this.#take(open, path, stamp);
  }

  /** From now on anything may happen on disk. */
  rest(): void {
    this.#missing = undefined;
  }

  /** A file that was renamed has settled under its new name. */
  settled(open: OpenFolders, stamp: Stamp): void {
    const old = this.#feed.whole ? undefined : this.#paths.departed.pathOf(stamp);
    if (old !== undefined) this.#drop(open, old);
    this.rest();
  }

  #take(open: OpenFolders, path: string, stamp: Stamp): boolean {
    const known = this.#feed.whole ? undefined : this.#paths.departed.untouched(stamp);
    if (known === undefined) return false;
    this.#paths.put(path, { kind: 'settled', entry: known.entry }, stamp);
    this.#drop(open, known.path);
    this.#reportFolder(known.path, path);
    return true;
  }

  #drop(open: OpenFolders, old: string): void {
    if (!this.#guard.allowsRemovals()) return;
    if (!this.#paths.isGone(old) || !this.#isStillGone(open, old)) return;
    this.#paths.drop(old);
    // A folder whose files have all got new names was renamed itself.
    for (let at = parentOf(old); at !== '' && this.#isEmptied(at); at = parentOf(at)) {
      if (at !== this.#missing && !open.root.isMissing(at)) return;
      this.#paths.drop(at);
    }
  }

  #isEmptied(folder: string): boolean {
    return this.#paths.index.childrenOf(folder).size === 0 && this.#paths.isGone(folder);
  }

  /** Its folder is gone: this is the first of its files that was found in another. */
  #reportFolder(old: string, path: string): void {
    const from = parentOf(old);
    if (from !== this.#missing) return;
    const to = parentOf(path);
    if (this.#reported[0] === from && this.#reported[1] === to) return;
    this.#reported = [from, to];
    this.#feed.folderRenamed(from, to);
  }

  /** All names of a folder at once, where it is gone, too. */
  #isStillGone(open: OpenFolders, path: string): boolean {
    const folder = parentOf(path);
    if (folder !== this.#missing && folder !== '' && open.root.isMissing(folder)) this.#missing = folder;
    return folder === this.#missing || isStillGone(open, path);
  }
}
