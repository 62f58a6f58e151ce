import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Database } from '#sync/state/database.ts';
import type { Statement } from '#sync/state/statement.ts';
import type { Outcome } from '#core/changeSet.ts';
import { parentOf } from '#core/path/relative.ts';
import type { RevisionLog } from './revisionLog.ts';

/**
 * Tracks which of Main's revisions each change set on an MDS applied: those of its paths that this MDS had not applied
 * before.
 */
export class AppliedRevisions {
  readonly #db: Database;
  readonly #log: RevisionLog;
  readonly #get: Statement;
  readonly #set: Statement;
  readonly #place: Statement;
  readonly #numberOf: Statement;
  readonly #drop: Statement;
  /** The applied revision by MDS, directory and path, since the directory was last completely in sync. */
  readonly #since = new Map<string, Map<string, number>>();

  constructor(db: Database, log: RevisionLog) {
    this.#db = db;
    this.#log = log;
    this.#get = db.prepare('SELECT number FROM taken_over WHERE directory = ? AND mds = ?');
    this.#set = db.prepare('INSERT OR REPLACE INTO taken_over (directory, mds, number) VALUES (?, ?, ?)');
    this.#place = db.prepare(
      'INSERT INTO change_sets (id, directory, number) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET number = min(number, excluded.number)',
    );
    this.#numberOf = db.prepare('SELECT number FROM change_sets WHERE id = ? AND directory = ?');
    this.#drop = db.prepare('DELETE FROM change_sets WHERE number < ?');
  }

  /** Notes a connected MDS. Revisions before its first connection are not counted as applied by it. */
  meet(directory: string, mds: string): void {
    if (this.#get.get(directory, mds) === undefined) this.#set.run(directory, mds, this.#log.newest);
  }

  /** Notes that an MDS is in sync with Main. */
  inSync(directory: string, mds: string): void {
    const { newest } = this.#log;
    if (Number(this.#get.get(directory, mds)?.['number'] ?? -1) === newest) return;
    this.#set.run(directory, mds, newest);
    this.#since.delete(keyOf(directory, mds));
  }

  /** Notes a change set of an MDS. */
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
        // Main changed the path again before the MDS reported the previous revision, which was counted as this one.
        (earlier === undefined || action === 'restore' ? undefined : newest);
      if (number === undefined) continue;
      since.set(path, newest);
      this.#db.onRollback(() => (earlier === undefined ? since.delete(path) : since.set(path, earlier)));
      first = Math.min(first ?? number, number);
    }
    if (first !== undefined) this.place(directory, changeSet, first);
  }

  /** Notes the first revision of a change set. */
  place(directory: string, changeSet: string, number: number): void {
    this.#place.run(changeSet, directory, number);
  }

  /**
   * Notes the first revision of a change set of Main's own. The watcher may have found a part of it before it was recorded.
   * @param before the newest revision before it became visible
   */
  placeOwn(directory: string, changeSet: string, outcomes: readonly Outcome[], before: number): void {
    const steps = new Map(
      outcomes.flatMap(({ step, result }) => (result === 'done' ? [[step.path, step]] : [])),
    );
    const isOfIt = (path: string): boolean => {
      if (steps.has(path)) return true;
      for (let above = parentOf(path); above !== ''; above = parentOf(above)) {
        const step = steps.get(above);
        // What was in a folder went with it.
        if (step?.kind === 'put' && step.entry.type !== 'folder') return true;
      }
      return false;
    };
    const first = this.#log.since(directory, before + 1).find(({ path }) => isOfIt(path));
    if (first !== undefined) this.place(directory, changeSet, first.number);
  }

  /** The first revision that a change set applied; undefined when it applied none, or is no longer remembered. */
  numberOf(directory: string, changeSet: string): number | undefined {
    const row = this.#numberOf.get(changeSet, directory);
    return row && Number(row['number']);
  }

  /** Drops change sets whose revisions were dropped. */
  dropBefore(number: number): void {
    this.#drop.run(number);
  }
}

function keyOf(directory: string, mds: string): string {
  return `${directory}/${mds}`;
}
