import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Database } from '#sync/state/database.ts';
import type { Statement } from '#sync/state/statement.ts';

/** Earlier contents of Main's files, by SHA-256, compressed. */
export class ContentStore {
  readonly #db: Database;
  readonly #has: Statement;
  readonly #get: Statement;
  readonly #insert: Statement;
  readonly #bytes: Statement;
  readonly #dropUnused: Statement;
  readonly #directories: string;
  /** Size of all stored contents, bytes. */
  bytes = 0;

  /** @param directories names of the directories whose files are kept */
  constructor(db: Database, directories: readonly string[]) {
    this.#directories = JSON.stringify(directories);
    this.#has = db.prepare('SELECT 1 FROM kept_contents WHERE hash = ?');
    this.#get = db.prepare('SELECT content FROM kept_contents WHERE hash = ?');
    this.#insert = db.prepare('INSERT OR IGNORE INTO kept_contents (hash, content, bytes) VALUES (?, ?, ?)');
    this.#bytes = db.prepare('SELECT coalesce(sum(bytes), 0) AS bytes FROM kept_contents');
    // Content that is live, or was before a revision that is still in the log.
    this.#dropUnused = db.prepare(`DELETE FROM kept_contents WHERE hash NOT IN (
      SELECT json_extract(before, '$.hash') FROM revisions WHERE json_extract(before, '$.hash') IS NOT NULL
      UNION SELECT json_extract(after, '$.hash') FROM revisions WHERE json_extract(after, '$.hash') IS NOT NULL
      UNION SELECT json_extract(entry, '$.hash') FROM content
        WHERE directory IN (SELECT value FROM json_each(?)) AND json_extract(entry, '$.hash') IS NOT NULL)`);
    this.#db = db;
    this.#count();
  }

  has(hash: string): boolean {
    return this.#has.get(hash) !== undefined;
  }

  /** Reads a content of the dialplan; other files are in {@link FileStore}. */
  get(hash: string): Buffer | undefined {
    const content = this.#get.get(hash)?.['content'];
    return content instanceof Uint8Array ? zstdDecompressSync(content) : undefined;
  }

  /** @param hash the content's SHA-256, verified by the caller */
  keep(hash: string, content: Uint8Array): void {
    const packed = zstdCompressSync(content);
    if (this.#insert.run(hash, packed, packed.length).changes > 0) this.#become(this.bytes + packed.length);
  }

  /** Deletes content that is neither live nor in the log of revisions. */
  dropUnused(): void {
    this.#dropUnused.run(this.#directories);
    this.#count();
  }

  #count(): void {
    this.#become(Number(this.#bytes.get()?.['bytes']));
  }

  #become(bytes: number): void {
    const before = this.bytes;
    this.bytes = bytes;
    this.#db.onRollback(() => (this.bytes = before));
  }
}
