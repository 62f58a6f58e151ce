import { closeSync } from 'node:fs';
import type { FileEntry } from '#core/manifest/entry.ts';
import { type Stamp, withoutChangeTime } from '#core/manifest/stamp.ts';
import type { Folder } from '#host/fs/folder.ts';
import { isOpenForWriting } from '#host/fs/libc.ts';
import type { FileVersion } from '#host/fs/listing/fileVersion.ts';
import { stampOfVersion } from '#host/fs/listing/nameVersion.ts';
import { stampOfOpen } from '#host/fs/listing/stampOfOpen.ts';

/** A file whose name has vanished: what it was, and the stamp under which it was read. */
type DepartedFile = { readonly path: string; readonly stamp: Stamp; readonly entry: FileEntry };

/**
 * Files whose names have vanished and that are not confirmed as removed. A file of the same device, inode, size
 * and mtime under another name is one of them, renamed, and need not be read. (Its ctime differs, since rename sets it.)
 * A program that forges the mtime between two scans can defeat this; `verify` reads every byte.
 */
export class Departed {
  readonly #files = new Map<string, DepartedFile>();
  readonly #keys = new Map<string, string>();

  /** @param stamp the stamp under which the content was read */
  add(path: string, stamp: Stamp, entry: FileEntry): void {
    const key = withoutChangeTime(stamp);
    this.#keys.set(path, key);
    this.#files.set(key, { path, stamp, entry });
  }

  /** Drops a path that is back, or that was removed for certain. */
  forget(path: string): void {
    const key = this.#keys.get(path);
    if (key === undefined) return;
    this.#keys.delete(path);
    if (this.#files.get(key)?.path === path) this.#files.delete(key);
  }

  /** The vanished path of a file that has this stamp now, under whatever name. */
  pathOf(stamp: Stamp): string | undefined {
    return this.#files.get(withoutChangeTime(stamp))?.path;
  }

  /**
   * The stamp of a version that {@link untouched} knows.
   * @returns undefined, too, when its inode's number is not exact
   */
  stampOf(version: FileVersion): Stamp | undefined {
    if (this.#files.size === 0 || !Number.isSafeInteger(version.inode)) return undefined;
    const stamp = stampOfVersion(version);
    return this.untouched(stamp) && stamp;
  }

  /** The vanished file that has exactly this stamp: it was not touched itself, as when its folder was renamed. */
  untouched(stamp: Stamp): DepartedFile | undefined {
    const file = this.#files.get(withoutChangeTime(stamp));
    return file?.stamp === stamp ? file : undefined;
  }

  /**
   * The hash of a file that was renamed to this path.
   * @returns undefined when it is not a vanished file, or a process may have it open for writing
   * @throws Node's fs errors when it can't be opened
   */
  hashOf(folder: Folder, name: string, stamp: Stamp): string | undefined {
    const hash = this.#files.get(withoutChangeTime(stamp))?.entry.hash;
    if (hash === undefined) return undefined;
    const fd = folder.openFile(name);
    try {
      const isStill = stampOfOpen(fd) === stamp;
      return isStill && isOpenForWriting(fd) === false ? hash : undefined;
    } finally {
      closeSync(fd);
    }
  }
}
