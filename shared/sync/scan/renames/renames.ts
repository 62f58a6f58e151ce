import type { OpenFolders } from '#host/fs/openFolders.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import type { ChangeFeed } from '../changeFeed.ts';
import { isStillGone } from '../presence.ts';
import type { RootGuard } from '../rootGuard.ts';
import type { ScannedPaths } from '../scannedPaths.ts';

/**
 * Files that have another name than before. The old one is gone for good, and need not stay away for the settle time: both
 * changes are handed out together, and a host that has a copy can rename it.
 */
export class Renames {
  readonly #paths: ScannedPaths;
  readonly #guard: RootGuard;
  readonly #feed: Pick<ChangeFeed, 'whole'>;

  constructor(paths: ScannedPaths, guard: RootGuard, feed: Pick<ChangeFeed, 'whole'>) {
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
    const known = this.#feed.whole ? undefined : this.#paths.departed.untouched(stamp);
    if (known === undefined) return false;
    this.#paths.put(path, { kind: 'settled', entry: known.entry }, stamp);
    this.#drop(open, known.path);
    return true;
  }

  /** A file that was renamed has settled under its new name. */
  settled(open: OpenFolders, stamp: Stamp): void {
    const old = this.#feed.whole ? undefined : this.#paths.departed.pathOf(stamp);
    if (old !== undefined) this.#drop(open, old);
  }

  #drop(open: OpenFolders, old: string): void {
    if (!this.#guard.allowsRemovals()) return;
    if (this.#paths.isGone(old) && isStillGone(open, old)) this.#paths.drop(old);
  }
}
