import type { Entry } from '#core/manifest/entry.ts';
import { sameVersion } from '#core/manifest/entry.ts';
import { isClock } from '#core/manifest/meaning.ts';
import type { Database } from '#sync/state/database.ts';
import { PathTable } from '#sync/state/pathTable.ts';

/** Nanoseconds. A smaller difference counts as none: a measurement over a network is no more precise. */
const MATTERS = 100_000_000n;

type Origin = { readonly entry: Entry; readonly clock: string };

/**
 * The clock error of each recording's mtime, for recordings that came from an MDS. The recording keeps the mtime, so a
 * comparison with another version needs the error. Only Main stores it: after a crash just after the upload, or with a
 * lost state, the time stays uncorrected, with no other loss.
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
   * Called in the transaction that records a version.
   * @param clock the MDS's clock minus Main's, nanoseconds; an impossible value is ignored
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

  /** Deletes the errors of versions that no longer exist. */
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
      // Version 0.1.0 stored whatever value an MDS had reported, and sent it to all others.
      if (isClock(clock)) this.#entries.set(path, { entry, clock });
    }
  }
}
