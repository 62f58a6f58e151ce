import type { Stamp } from '#core/manifest/stamp.ts';
import type { Entry } from '#core/manifest/entry.ts';
import type { Database } from './database.ts';
import { PathTable } from './pathTable.ts';

/** The scan results of one directory that are kept between runs, so that unchanged files need not be read again. */
export interface ScanIndex {
  load(): Iterable<{ path: string; stamp: Stamp; entry: Entry }>;
  /** Saves changed paths; undefined for those that are gone. */
  save(changes: Iterable<readonly [string, { stamp: Stamp; entry: Entry } | undefined]>): void;
  /** Device and inode of the directory itself. */
  rootIdentity(): string | undefined;
  setRootIdentity(identity: string): void;
}

/** The scan index of one directory, in the database. */
export class ScanIndexTable implements ScanIndex {
  readonly #db: Database;
  readonly #table: PathTable;
  readonly #rootKey: string;

  constructor(db: Database, directory: string) {
    this.#db = db;
    this.#table = new PathTable(db, 'content', directory);
    this.#rootKey = `root:${directory}`;
  }

  *load(): Iterable<{ path: string; stamp: Stamp; entry: Entry }> {
    for (const { path, entry, extra } of this.#table.rows()) yield { path, entry, stamp: String(extra) };
  }

  save(changes: Iterable<readonly [string, { stamp: Stamp; entry: Entry } | undefined]>): void {
    this.#db.transaction(() => {
      for (const [path, known] of changes) {
        if (known === undefined) this.#table.delete(path);
        else this.#table.set(path, known.entry, known.stamp);
      }
    });
  }

  rootIdentity(): string | undefined {
    return this.#db.meta(this.#rootKey);
  }

  setRootIdentity(identity: string): void {
    this.#db.setMeta(this.#rootKey, identity);
  }
}
