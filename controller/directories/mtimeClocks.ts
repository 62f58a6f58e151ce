import type { Entry } from '#core/manifest/entry.ts';
import { sameVersion } from '#core/manifest/entry.ts';
import { isClock } from '#core/manifest/meaning.ts';
import type { Database } from '#sync/state/database.ts';
import { PathTable } from '#sync/state/pathTable.ts';

/** Nanoseconds. A clock that differs by less counts as right: what is measured over a network is no surer than that. */
const MATTERS = 100_000_000n;

type Origin = { readonly entry: Entry; readonly clock: string };

/**
 * By how much the clock was wrong that gave a recording its time, for recordings that came from an MDS. The
 * recording keeps that time, so whoever compares it with another version has to know. It is Main's own memory: a
 * crash just after the upload, or a lost state, leaves the time uncorrected, and loses nothing else.
 */
export class MtimeClocks {
  readonly #db: Database;
  readonly #table: PathTable;
  readonly #entries = new Map<string, Origin>();

  constructor(db: Database, directory: string) {
    this.#db = db;
    this.#table = new PathTable(db, 'origins', directory);
    this.#read();
    db.onRollback(() => this.#read());
  }

  /**
   * Called in the transaction that takes a version over.
   * @param clock the MDS's clock minus Main's, nanoseconds; what no clock can be wrong by is not believed
   */
  note(path: string, entry: Entry, clock: bigint): void {
    const isRight = clock < MATTERS && -clock < MATTERS;
    if (entry.type !== 'file' || isRight || !isClock(String(clock))) return this.forget(path);
    this.#entries.set(path, { entry, clock: String(clock) });
    this.#table.set(path, entry, String(clock));
  }

  forget(path: string): void {
    if (this.#entries.delete(path)) this.#table.delete(path);
  }

  /** @returns the clock's difference from Main's, nanoseconds; undefined for Main's own, or when it is not known */
  clockOf(path: string, entry: Entry): string | undefined {
    const origin = this.#entries.get(path);
    return origin !== undefined && sameVersion(origin.entry, entry) ? origin.clock : undefined;
  }

  /** Forgets what is about other versions than those that are there. */
  prune(entryAt: (path: string) => Entry | undefined): void {
    const stale = [...this.#entries].filter(([path, { entry }]) => {
      const now = entryAt(path);
      return now === undefined || !sameVersion(entry, now);
    });
    if (stale.length === 0) return;
    this.#db.transaction(() => {
      for (const [path] of stale) this.forget(path);
    });
  }

  #read(): void {
    this.#entries.clear();
    for (const { path, entry, extra } of this.#table.rows()) {
      const clock = String(extra);
      // Version 0.1.0 stored whatever an MDS had said, and sent it to all others.
      if (isClock(clock)) this.#entries.set(path, { entry, clock });
    }
  }
}
