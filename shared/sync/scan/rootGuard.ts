import { type BigIntStats, fstatSync } from 'node:fs';
import { errnoOf } from '#host/fs/errno.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import type { ScanIndex } from '../state/scanIndex.ts';
import type { ScannedPaths } from './scannedPaths.ts';

/**
 * Opens the directory itself. One that is missing, was replaced or became empty is held: nothing is concluded from it
 * until it is back as it was, or a person confirms it.
 */
export class RootGuard {
  /** Why the directory is held, if it is. */
  held: string | undefined;
  readonly #path: string;
  readonly #index: ScanIndex;
  readonly #paths: ScannedPaths;
  /** True where its emptiness would remove files elsewhere. */
  readonly #emptyIsHeld: boolean;
  #emptyConfirmed = false;

  constructor(path: string, index: ScanIndex, paths: ScannedPaths, emptyIsHeld: boolean) {
    this.#path = path;
    this.#index = index;
    this.#paths = paths;
    this.#emptyIsHeld = emptyIsHeld;
  }

  /** @returns undefined when it is missing or not the known directory, which holds it */
  open(): OpenFolders | undefined {
    let open: OpenFolders;
    try {
      open = new OpenFolders(this.#path);
    } catch (error) {
      this.held = `${this.#path} can't be opened (${errnoOf(error)})`;
      return undefined;
    }
    const identity = identityOf(open);
    const known = this.#index.rootIdentity();
    if (known === undefined) this.#index.setRootIdentity(identity);
    else if (known !== identity) {
      open[Symbol.dispose]();
      this.held = `${this.#path} is not the same directory as before (device or inode changed: remounted or recreated?)`;
      return undefined;
    }
    if (this.held !== undefined && !this.#paths.isEmptied) this.held = undefined;
    return open;
  }

  /** True when removals are credible. False, which holds the directory, when nothing at all is left in it. */
  allowsRemovals(): boolean {
    if (!this.#emptyIsHeld || this.#emptyConfirmed || !this.#paths.isEmptied) return true;
    this.held = `${this.#path} became empty`;
    return false;
  }

  /**
   * Confirms the directory as it is now, for a person.
   * @param whileConfirmed scans it while its emptiness counts as intended
   * @throws Node's fs error when it can't be opened
   */
  async confirm(whileConfirmed: () => Promise<void>): Promise<void> {
    using open = new OpenFolders(this.#path);
    this.#index.setRootIdentity(identityOf(open));
    this.held = undefined;
    this.#emptyConfirmed = true;
    await whileConfirmed();
    this.#emptyConfirmed = false;
  }
}

function identityOf({ root }: OpenFolders): string {
  const { dev, ino }: BigIntStats = fstatSync(root.fd, { bigint: true });
  return `${dev}:${ino}`;
}
