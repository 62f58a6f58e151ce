import { statfsSync } from 'node:fs';
import type { Stamp } from '#core/manifest/stamp.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import { isMissing } from '#host/fs/errno.ts';
import type { Folder } from '#host/fs/folder.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { remove } from '#host/fs/removeTree.ts';
import { PrivateFolder } from '#sync/apply/privateFolder.ts';
import type { Database } from '#sync/state/database.ts';
import type { Statement } from '#sync/state/statement.ts';
import { TimeSlice } from '#host/time/timeSlice.ts';
import { copyVersion } from './copyVersion.ts';

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

/** A file, and the stamp under which it was hashed: one that has changed since is not stored. */
export type FileToKeep = {
  readonly path: string;
  readonly hash: string;
  readonly size: number;
  readonly stamp: Stamp;
};

/** A file that could not be copied. */
type Failed = { readonly path: string; readonly error: unknown };

/** How many of the files were looked at, and which of them could not be copied. */
type Looked = { readonly looked: number; readonly failed: readonly Failed[] };

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
  readonly #count: Statement;
  readonly #live: string;
  /** Directories in which there are no orphans any more. */
  readonly #looked = new Set<string>();
  /** Size of all stored files, bytes. */
  bytes: number;

  constructor(options: FileStoreOptions) {
    const { db, places } = options;
    this.#options = options;
    this.#live = JSON.stringify([...places.keys()]);
    this.#find = db.prepare('SELECT directory FROM kept_files WHERE hash = ?');
    this.#insert = db.prepare('INSERT OR REPLACE INTO kept_files (hash, directory, bytes) VALUES (?, ?, ?)');
    this.#remove = db.prepare('DELETE FROM kept_files WHERE hash = ?');
    this.#count = db.prepare('SELECT count(*) AS files FROM kept_files WHERE directory = ?');
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
   * Stores the contents of files in one transaction; one that can't be copied keeps none of the others from it. A row is
   * made only for what is there: a crash before leaves files without one, which are removed before the first copy after
   * the next start.
   * @param isEnough asked after each file: then the others are not looked at
   * @param signal ends it, within a block of a large file; what has been copied is stored
   * @throws when the directory can't be opened or the state can't be written; nothing is stored then
   */
  async keep(
    directory: string,
    files: readonly FileToKeep[],
    isEnough: () => boolean,
    signal: AbortSignal,
  ): Promise<Looked> {
    const failed: Failed[] = [];
    const root = this.#options.places.get(directory);
    if (root === undefined || files.every(({ hash }) => this.has(hash)))
      return { looked: files.length, failed };
    using open = new OpenFolders(root);
    using area = new PrivateFolder(open.root);
    await this.#removeOrphans(directory, area.versions, signal);
    const { bavail, bsize } = statfsSync(root);
    const room = { free: bavail * bsize - 2 * this.#options.reserve, promised: 0 };
    const copied = new Map<string, FileToKeep>();
    const slice = new TimeSlice();
    let looked = 0;
    try {
      for (const file of files) {
        if (signal.aborted) break;
        looked += 1;
        const isWanted = !copied.has(file.hash) && !this.has(file.hash) && this.#makeRoom(file.size, room);
        try {
          if (isWanted && (await copyUnderHash(open, file, area.versions, signal))) {
            copied.set(file.hash, file);
            room.free -= file.size;
            room.promised += file.size;
          }
        } catch (error) {
          if (signal.aborted) break;
          failed.push({ path: file.path, error });
        }
        if (isEnough()) break;
        if (slice.due) await slice.pause();
      }
      this.#enter(directory, copied, area.versions);
    } catch (error) {
      for (const hash of copied.keys()) remove(area.versions, hash);
      throw error;
    }
    return { looked, failed };
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

  /** Makes rows for copies, but for what was copied for another directory meanwhile. */
  #enter(directory: string, copied: ReadonlyMap<string, FileToKeep>, versions: Folder): void {
    if (copied.size === 0) return;
    let bytes = 0;
    const spare: string[] = [];
    this.#options.db.transaction(() => {
      for (const { hash, size } of copied.values()) {
        if (this.has(hash)) {
          spare.push(hash);
          continue;
        }
        this.#insert.run(hash, directory, size);
        bytes += size;
      }
    });
    this.bytes += bytes;
    for (const hash of spare) remove(versions, hash);
  }

  /** Once for each directory, before anything is copied: what has no row is from before a crash. */
  async #removeOrphans(directory: string, versions: Folder, signal: AbortSignal): Promise<void> {
    if (this.#looked.has(directory)) return;
    this.#looked.add(directory);
    const listing = versions.listing();
    if (listing.size === Number(this.#count.get(directory)?.['files'])) return;
    const slice = new TimeSlice();
    for (const name of listing.names()) {
      if (signal.aborted) return;
      if (this.#find.get(name)?.['directory'] !== directory) remove(versions, name);
      if (slice.due) await slice.pause();
    }
  }

  #makeRoom(size: number, { free, promised }: { free: number; promised: number }): boolean {
    const budget = this.#options.budget();
    if (size > budget * SHARE || size > free) return false;
    while (this.bytes + promised + size > budget) {
      const { bytes } = this;
      for (const row of this.#oldest.all(this.#live))
        if (this.bytes + promised + size > budget) this.#drop(row);
      // What is left is live, or lies in a directory that can't be opened now.
      if (this.bytes === bytes) return false;
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
        remove(area.versions, hash);
      } catch {
        // The directory can't be opened now; its file is removed the next time.
        return;
      }
    }
    this.#remove.run(hash);
    this.bytes -= Number(row['bytes']);
  }
}

/** @returns false when the file has changed, or is gone */
async function copyUnderHash(
  open: OpenFolders,
  { path, hash, size, stamp }: FileToKeep,
  versions: Folder,
  signal: AbortSignal,
): Promise<boolean> {
  const temporary = `${hash}.new`;
  try {
    const folder = open.get(parentOf(path));
    const from = { folder, name: baseOf(path), stamp, size };
    if (!(await copyVersion(from, { folder: versions, name: temporary }, signal))) return false;
    versions.rename(temporary, versions, hash, 'replace');
    return true;
  } catch (error) {
    remove(versions, temporary);
    if (isMissing(error)) return false;
    throw error;
  }
}
