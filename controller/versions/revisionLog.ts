import { isBelow } from '#core/path/relative.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { isEntry } from '#core/manifest/meaning.ts';
import { decodeName, encodeName } from '#core/path/nameBytes.ts';
import type { Database } from '#sync/state/database.ts';
import type { Statement } from '#sync/state/statement.ts';

/** How one path of one directory changed on Main. */
export type PathRevision = {
  /** Grows with every change on Main, over all directories. */
  readonly number: number;
  readonly path: string;
  /** What it held until then: null for nothing. */
  readonly before: Entry | null;
};

/** What changed on Main, path by path, in the directories whose older versions are kept. */
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

  /** The newest number given, of any directory; 0 when there is none. */
  get newest(): number {
    return Number(this.#newest.get()?.['number']);
  }

  /** The newest revision of a path, and what it left there. */
  newestOf(directory: string, path: string): { number: number; after: Entry | null } | undefined {
    const row = this.#newestOfPath.get(directory, encodeName(path));
    return row && { number: Number(row['number']), after: this.#entryOf(row['after']) };
  }

  /** What a revision found at its path, and what it left there. */
  get(number: number): { before: Entry | null; after: Entry | null } | undefined {
    const row = this.#byNumber.get(number);
    return row && { before: this.#entryOf(row['before']), after: this.#entryOf(row['after']) };
  }

  /** The first revision of a path with a number above `number`. */
  firstAfter(directory: string, path: string, number: number): number | undefined {
    const row = this.#firstOfPath.get(directory, encodeName(path), number);
    return row && Number(row['number']);
  }

  /** The newest revision of a path that was made at a time or before. @param at milliseconds since 1970 */
  lastUntil(directory: string, path: string, at: number): number | undefined {
    const row = this.#lastUntil.get(directory, encodeName(path), at);
    const number = row?.['number'];
    return typeof number === 'number' || typeof number === 'bigint' ? Number(number) : undefined;
  }

  /** What was at a path, or below it, before each change there, newest change first. */
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

  /** The oldest revision that is still there. */
  get oldest(): { number: number; at: number } | undefined {
    const row = this.#oldest.get();
    return row && { number: Number(row['number']), at: Number(row['at']) };
  }

  /** Everything from a number on, oldest first. */
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

  /** Forgets what came before a time. @param at milliseconds since 1970 @returns how many */
  dropBefore(at: number): number {
    return Number(this.#dropBefore.run(at).changes);
  }

  /** Forgets so many of the oldest, at least 1. */
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
