import { constants, fstatSync, openSync, closeSync, statfsSync } from 'node:fs';
import { copyContent } from '#host/fs/copyContent.ts';
import { stampOf, type Stamp } from '#core/manifest/stamp.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import { isMissing } from '#host/fs/errno.ts';
import type { Folder } from '#host/fs/folder.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { PrivateFolder } from '#sync/apply/privateFolder.ts';
import type { Database } from '#sync/state/database.ts';
import type { Statement } from '#sync/state/statement.ts';

/** Largest share of the budget for one file, so that it does not displace everything else. */
const SHARE = 1 / 4;

export type FileStoreOptions = {
  readonly db: Database;
  /** Absolute paths of the synchronised directories by name. Each one stores its own files, beside its trash. */
  readonly places: ReadonlyMap<string, string>;
  /** Budget for all stored files, bytes. */
  readonly budget: () => number;
  /** Reserve of free space, bytes. */
  readonly reserve: number;
};

/**
 * Earlier contents of Main's files, by SHA-256, as files on the file system of their directory. Copies share blocks where
 * the file system can (XFS, Btrfs); otherwise they stay within a budget, and the oldest are removed.
 */
export class FileStore {
  readonly #options: FileStoreOptions;
  readonly #find: Statement;
  readonly #insert: Statement;
  readonly #remove: Statement;
  readonly #sum: Statement;
  readonly #oldest: Statement;
  readonly #unused: Statement;
  readonly #live: string;
  /** Size of all stored files, bytes. */
  bytes: number;

  constructor(options: FileStoreOptions) {
    const { db, places } = options;
    this.#options = options;
    this.#live = JSON.stringify([...places.keys()]);
    this.#find = db.prepare('SELECT directory FROM kept_files WHERE hash = ?');
    this.#insert = db.prepare('INSERT OR REPLACE INTO kept_files (hash, directory, bytes) VALUES (?, ?, ?)');
    this.#remove = db.prepare('DELETE FROM kept_files WHERE hash = ?');
    this.#sum = db.prepare('SELECT coalesce(sum(bytes), 0) AS bytes FROM kept_files');
    const isLive = `hash IN (SELECT json_extract(entry, '$.hash') FROM content
      WHERE directory IN (SELECT value FROM json_each(?)) AND json_extract(entry, '$.hash') IS NOT NULL)`;
    this.#oldest = db.prepare(
      `SELECT hash, directory, bytes FROM kept_files WHERE NOT (${isLive}) ORDER BY rowid LIMIT 100`,
    );
    this.#unused =
      db.prepare(`SELECT hash, directory, bytes FROM kept_files WHERE NOT (${isLive}) AND hash NOT IN (
      SELECT json_extract(before, '$.hash') FROM revisions WHERE json_extract(before, '$.hash') IS NOT NULL
      UNION SELECT json_extract(after, '$.hash') FROM revisions WHERE json_extract(after, '$.hash') IS NOT NULL)`);
    this.bytes = Number(this.#sum.get()?.['bytes']);
  }

  has(hash: string): boolean {
    return this.#find.get(hash) !== undefined;
  }

  /**
   * Stores the content of a file.
   * @param stamp the stamp under which it was hashed; a file that has changed since is not stored
   * @returns false when there is no room, or the file has changed
   */
  async keep(
    directory: string,
    path: string,
    file: { hash: string; size: number; stamp: Stamp },
  ): Promise<boolean> {
    const root = this.#options.places.get(directory);
    if (root === undefined || this.has(file.hash) || !this.#makeRoom(root, file.size)) return false;
    using open = new OpenFolders(root);
    using area = new PrivateFolder(open.root);
    const temporary = `${file.hash}.new`;
    try {
      const source = open.get(parentOf(path));
      if (stampAt(source, baseOf(path)) !== file.stamp) return false;
      await copyContent(source.at(baseOf(path)), area.versions.at(temporary));
      // An equal stamp before and after the copy proves that this version was copied.
      if (stampAt(source, baseOf(path)) !== file.stamp) {
        area.versions.removeFile(temporary);
        return false;
      }
      area.versions.rename(temporary, area.versions, file.hash, 'replace');
    } catch (error) {
      if (area.versions.stat(temporary) !== undefined) area.versions.removeFile(temporary);
      if (isMissing(error)) return false;
      throw error;
    }
    this.#insert.run(file.hash, directory, file.size);
    this.bytes += file.size;
    return true;
  }

  /** Opens a stored content. The reader has to verify its hash. @returns undefined when it is not stored */
  open(hash: string): number | undefined {
    const directory = this.#find.get(hash)?.['directory'];
    const root = typeof directory === 'string' ? this.#options.places.get(directory) : undefined;
    if (root === undefined) return undefined;
    try {
      using open = new OpenFolders(root);
      using area = new PrivateFolder(open.root);
      return area.versions.openFile(hash);
    } catch {
      return undefined;
    }
  }

  /** Removes what is neither live nor in the log of revisions. */
  dropUnused(): void {
    for (const row of this.#unused.all(this.#live)) this.#drop(row);
  }

  #makeRoom(root: string, size: number): boolean {
    const budget = this.#options.budget();
    if (size > budget * SHARE) return false;
    const { bavail, bsize } = statfsSync(root);
    if (bavail * bsize < size + 2 * this.#options.reserve) return false;
    while (this.bytes + size > budget) {
      const rows = this.#oldest.all(this.#live);
      if (rows.length === 0) return false;
      for (const row of rows) if (this.bytes + size > budget) this.#drop(row);
    }
    return true;
  }

  #drop(row: Readonly<Record<string, unknown>>): void {
    const hash = String(row['hash']);
    const root = this.#options.places.get(String(row['directory']));
    if (root !== undefined) {
      try {
        using open = new OpenFolders(root);
        using area = new PrivateFolder(open.root);
        if (area.versions.stat(hash) !== undefined) area.versions.removeFile(hash);
      } catch {
        // The directory can't be opened now; its file is removed the next time.
        return;
      }
    }
    this.#remove.run(hash);
    this.bytes -= Number(row['bytes']);
  }
}

function stampAt(folder: Folder, name: string): Stamp {
  const fd = openSync(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return stampOf(fstatSync(fd, { bigint: true }));
  } finally {
    closeSync(fd);
  }
}
