import { isBelow } from '#core/path/relative.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { isEntry } from '#core/manifest/meaning.ts';
import { decodeName, encodeName } from '#core/path/nameBytes.ts';
import type { Database } from '#sync/state/database.ts';
import type { Statement } from '#sync/state/statement.ts';

/** A change of one path of one directory on Main. */
export type PathRevision = {
  /** Grows with every change on Main, over all directories. */
  readonly number: number;
  readonly path: string;
  /** The entry before; null when there was none. */
  readonly before: Entry | null;
};

/** The log of changes on Main, path by path, in the directories whose older versions are kept. */
export class RevisionLog {
  readonly #db: Database;
  readonly #append: Statement;
  readonly #newestOfPath: Statement;
  readonly #firstOfPath: Statement;
  readonly #newest: Statement;
  readonly #since: Statement;
  readonly #lastUntil: Statement;
  readonly #ofDirectory: Statement;
  readonly #byNumber: Statement;
  readonly #oldest: Statement;
  readonly #dropBefore: Statement;
  readonly #dropOldest: Statement;
  readonly #count: Statement;

  constructor(db: Database) {
    this.#db = db;
    const ofPath = 'FROM revisions WHERE directory = ? AND path = ?';
    this.#append = db.prepare(
      'INSERT INTO revisions (directory, path, before, after, at) VALUES (?, ?, ?, ?, ?)',
    );
    this.#newestOfPath = db.prepare(`SELECT number, after ${ofPath} ORDER BY number DESC LIMIT 1`);
    this.#firstOfPath = db.prepare(`SELECT number ${ofPath} AND number > ? ORDER BY number LIMIT 1`);
    this.#newest = db.prepare('SELECT coalesce(max(number), 0) AS number FROM revisions');
    this.#since = db.prepare(
      'SELECT number, path, before FROM revisions WHERE directory = ? AND number >= ? ORDER BY number',
    );
    this.#lastUntil = db.prepare(`SELECT max(number) AS number ${ofPath} AND at <= ?`);
    this.#ofDirectory = db.prepare(
      'SELECT number, path, before, at FROM revisions WHERE directory = ? ORDER BY number DESC',
    );
    this.#byNumber = db.prepare('SELECT before, after FROM revisions WHERE number = ?');
    this.#oldest = db.prepare('SELECT number, at FROM revisions ORDER BY number LIMIT 1');
    this.#dropBefore = db.prepare(
      'DELETE FROM revisions WHERE number < coalesce((SELECT min(number) FROM revisions WHERE at >= ?), 9e18)',
    );
    this.#dropOldest = db.prepare(
      'DELETE FROM revisions WHERE number <= (SELECT number FROM revisions ORDER BY number LIMIT 1 OFFSET ?)',
    );
    this.#count = db.prepare('SELECT count(*) AS count FROM revisions');
  }

  /** @param at milliseconds since 1970 */
  append(directory: string, path: string, before: Entry | null, after: Entry | null, at: number): void {
    this.#append.run(directory, encodeName(path), textOf(before), textOf(after), at);
  }

  /** The latest number over all directories; 0 when there is none. */
  get newest(): number {
    return Number(this.#newest.get()?.['number']);
  }

  /** The latest revision of a path, with the entry after it. */
  newestOf(directory: string, path: string): { number: number; after: Entry | null } | undefined {
    const row = this.#newestOfPath.get(directory, encodeName(path));
    return row && { number: Number(row['number']), after: this.#entryOf(row['after']) };
  }

  /** The entries before and after a revision. */
  get(number: number): { before: Entry | null; after: Entry | null } | undefined {
    const row = this.#byNumber.get(number);
    return row && { before: this.#entryOf(row['before']), after: this.#entryOf(row['after']) };
  }

  /** The first revision of a path with a number above `number`. */
  firstAfter(directory: string, path: string, number: number): number | undefined {
    const row = this.#firstOfPath.get(directory, encodeName(path), number);
    return row && Number(row['number']);
  }

  /** The latest revision of a path at or before a time. @param at milliseconds since 1970 */
  lastUntil(directory: string, path: string, at: number): number | undefined {
    const row = this.#lastUntil.get(directory, encodeName(path), at);
    const number = row?.['number'];
    return typeof number === 'number' || typeof number === 'bigint' ? Number(number) : undefined;
  }

  /** The entries before each change at or below a path, latest change first. */
  ofScope(directory: string, scope: string): (PathRevision & { readonly at: number })[] {
    return this.#ofDirectory.all(directory).flatMap((row) => {
      const path = decodeName(row['path'] instanceof Uint8Array ? row['path'] : new Uint8Array());
      if (scope !== '' && path !== scope && !isBelow(path, scope)) return [];
      return {
        number: Number(row['number']),
        path,
        before: this.#entryOf(row['before']),
        at: Number(row['at']),
      };
    });
  }

  /** The oldest revision in the log. */
  get oldest(): { number: number; at: number } | undefined {
    const row = this.#oldest.get();
    return row && { number: Number(row['number']), at: Number(row['at']) };
  }

  /** All revisions from a number on, oldest first. */
  since(directory: string, number: number): PathRevision[] {
    return this.#since.all(directory, number).map((row) => ({
      number: Number(row['number']),
      path: decodeName(row['path'] instanceof Uint8Array ? row['path'] : new Uint8Array()),
      before: this.#entryOf(row['before']),
    }));
  }

  get count(): number {
    return Number(this.#count.get()?.['count']);
  }

  /** Drops the revisions before a time. @param at milliseconds since 1970 @returns their number */
  dropBefore(at: number): number {
    return Number(this.#dropBefore.run(at).changes);
  }

  /** Drops this number of the oldest revisions, at least 1. */
  dropOldest(count: number): void {
    this.#dropOldest.run(count - 1);
  }

  #entryOf(text: unknown): Entry | null {
    if (typeof text !== 'string') return null;
    const entry = this.#db.readJson(text);
    if (!isEntry(entry)) throw this.#db.damagedBy('a revision is not what was written');
    return entry;
  }
}

function textOf(entry: Entry | null): string | null {
  return entry && JSON.stringify(entry);
}
