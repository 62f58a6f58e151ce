import { closeSync, fstatSync } from 'node:fs';
import { type Stamp, stampOf } from '#core/manifest/stamp.ts';
import type { Folder } from '#host/fs/folder.ts';
import { isOpenForWriting } from '#host/fs/libc.ts';

/**
 * The contents of files whose names are gone, as long as it is not certain that they are removed. A file of the same
 * device, inode, size and mtime under another name is one of them, renamed, and need not be read. (Its ctime tells
 * nothing: renaming sets it.) Who forges an mtime between two looks deceives this; `verify` reads every byte.
 */
export class Departed {
  readonly #hashes = new Map<string, string>();
  readonly #keys = new Map<string, string>();

  /** @param stamp that under which the content was read */
  add(path: string, stamp: Stamp, hash: string): void {
    const key = keyOf(stamp);
    this.#keys.set(path, key);
    this.#hashes.set(key, hash);
  }

  /** The path is there again, or was removed for certain. */
  forget(path: string): void {
    const key = this.#keys.get(path);
    if (key === undefined) return;
    this.#keys.delete(path);
    this.#hashes.delete(key);
  }

  /**
   * The hash of a file that was renamed to this.
   * @returns undefined when it is none that departed, or it is not certain that nobody writes it
   * @throws Node's fs errors when it can't be opened
   */
  hashOf(folder: Folder, name: string, stamp: Stamp): string | undefined {
    const hash = this.#hashes.get(keyOf(stamp));
    if (hash === undefined) return undefined;
    const fd = folder.openFile(name);
    try {
      const isStill = stampOf(fstatSync(fd, { bigint: true })) === stamp;
      return isStill && isOpenForWriting(fd) === false ? hash : undefined;
    } finally {
      closeSync(fd);
    }
  }
}

/** A stamp without its last part, the ctime. */
function keyOf(stamp: Stamp): string {
  return stamp.slice(0, stamp.lastIndexOf(':'));
}
