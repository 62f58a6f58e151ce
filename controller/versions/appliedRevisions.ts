import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Database } from '#sync/state/database.ts';
import type { Statement } from '#sync/state/statement.ts';
import type { RevisionLog } from './revisionLog.ts';

/**
 * How far each MDS has followed Main's log of revisions, and so which revisions a change set on an MDS took over:
 * those of its paths that this MDS had not taken over before.
 */
export class AppliedRevisions {
  readonly #db: Database;
  readonly #log: RevisionLog;
  readonly #get: Statement;
  readonly #set: Statement;
  readonly #place: Statement;
  readonly #placeOf: Statement;
  readonly #drop: Statement;
  /** What was taken over since a directory was last wholly in sync: revision by MDS, directory and path. */
  readonly #since = new Map<string, Map<string, number>>();

  constructor(db: Database, log: RevisionLog) {
    this.#db = db;
    this.#log = log;
    this.#get = db.prepare('SELECT number FROM taken_over WHERE directory = ? AND mds = ?');
    this.#set = db.prepare('INSERT OR REPLACE INTO taken_over (directory, mds, number) VALUES (?, ?, ?)');
    this.#place = db.prepare(
      'INSERT INTO change_sets (id, directory, number) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET number = min(number, excluded.number)',
    );
    this.#placeOf = db.prepare('SELECT number FROM change_sets WHERE id = ? AND directory = ?');
    this.#drop = db.prepare('DELETE FROM change_sets WHERE number < ?');
  }

  /** An MDS is here. What was before its first time is nothing that it takes over. */
  meet(directory: string, mds: string): void {
    if (this.#get.get(directory, mds) === undefined) this.#set.run(directory, mds, this.#log.newest);
  }

  /** An MDS holds what Main holds. */
  inSync(directory: string, mds: string): void {
    const { newest } = this.#log;
    if (Number(this.#get.get(directory, mds)?.['number'] ?? -1) === newest) return;
    this.#set.run(directory, mds, newest);
    this.#since.delete(keyOf(directory, mds));
  }

  /** An MDS did this as one change set. */
  applied(directory: string, mds: string, changeSet: string, actions: readonly PlannedAction[]): void {
    const known = Number(this.#get.get(directory, mds)?.['number'] ?? this.#log.newest);
    const key = keyOf(directory, mds);
    const since = this.#since.get(key) ?? new Map<string, number>();
    this.#since.set(key, since);
    let first: number | undefined;
    for (const { action, path } of actions) {
      const newest = this.#log.newestOf(directory, path)?.number ?? 0;
      const earlier = since.get(path);
      const number =
        this.#log.firstAfter(directory, path, Math.max(known, earlier ?? 0)) ??
        // Main's changed again before the MDS told of the time before, and that was taken for this.
        (earlier === undefined || action === 'restore' ? undefined : newest);
      if (number === undefined) continue;
      since.set(path, newest);
      this.#db.onRollback(() => (earlier === undefined ? since.delete(path) : since.set(path, earlier)));
      first = Math.min(first ?? number, number);
    }
    if (first !== undefined) this.place(directory, changeSet, first);
  }

  /** A change set begins at this revision. */
  place(directory: string, changeSet: string, number: number): void {
    this.#place.run(changeSet, directory, number);
  }

  /** The first revision that a change set took over; undefined when it took over none, or that is too long ago. */
  placeOf(directory: string, changeSet: string): number | undefined {
    const row = this.#placeOf.get(changeSet, directory);
    return row && Number(row['number']);
  }

  /** Forgets change sets whose revisions are forgotten. */
  dropBefore(number: number): void {
    this.#drop.run(number);
  }
}

function keyOf(directory: string, mds: string): string {
  return `${directory}/${mds}`;
}
