import { randomBytes } from 'node:crypto';
import { changeSetId } from '#core/changeSet.ts';
import type { Changes } from '#sync/scan/pathIndex.ts';

/**
 * The originator of a change on Main: `watcher` and `reconcile` for changes found on its disk, the user of a command,
 * or an MDS.
 */
export type Actor = string;

/** A change of Main: its originator, and the id by which the history of every host shows its consequences. */
export type Origin = { readonly actor: Actor; readonly save: string };

/** Paths that are remembered for a directory: more than most directories have in a first pass. */
const MAX_PATHS = 200_000;
/** Saves whose ids are remembered; those that led to something stand in the history. */
const MAX_IDS = 10_000;

/** The originator of the newest change of each path on Main since its start. */
export class Originators {
  readonly #origins = new Map<string, Origin>();
  /** The id of the save that was found last, which may have led to nothing. */
  #last: string | undefined;
  /** The ids of the newest saves, the newest last. */
  readonly #ids = new Set<string>();
  /** How the change in progress of a path was found; undefined for one that was there before its directory was known. */
  readonly #found = new Map<string, Actor | undefined>();

  /**
   * Records a change found on disk. It settles later; the first finding counts.
   * @param now milliseconds since 1970
   * @param continues true when this belongs to the save that was found last
   * @returns the id of the save, when something has settled
   */
  found(changes: Changes, actor: Actor, now: number, continues = false): string | undefined {
    const save = (continues ? this.#last : undefined) ?? changeSetId(now, randomBytes(8).toString('hex'));
    this.#last = save;
    let isSave = false;
    /** One object for all paths that were found in the same way. */
    const origins = new Map<Actor, Origin>();
    for (const [path, { after }] of changes) {
      if (after?.kind === 'moving') {
        if (!this.#found.has(path)) this.#found.set(path, actor);
        continue;
      }
      const foundBy = this.#found.has(path) ? this.#found.get(path) : actor;
      if (foundBy === undefined) {
        this.#found.delete(path);
        continue;
      }
      const origin = origins.get(foundBy) ?? { actor: foundBy, save };
      origins.set(foundBy, origin);
      this.note([path], origin);
      this.#found.delete(path);
      isSave = true;
    }
    return isSave ? save : undefined;
  }

  note(paths: Iterable<string>, origin: Origin): void {
    if (origin.save !== '') this.#ids.add(origin.save);
    for (const id of this.#ids) {
      if (this.#ids.size <= MAX_IDS) break;
      this.#ids.delete(id);
    }
    for (const path of paths) {
      // Newest last; the oldest are dropped.
      this.#origins.delete(path);
      this.#origins.set(path, origin);
    }
    for (const path of this.#origins.keys()) {
      if (this.#origins.size <= MAX_PATHS) break;
      this.#origins.delete(path);
    }
  }

  /** True for the id of a save of Main's own: an MDS learns it, and must not name a change set of its own by it. */
  isSave(id: string): boolean {
    return this.#ids.has(id);
  }

  /**
   * Drops the findings of the first scan: unknown paths are assumed to be from it.
   * @param isNew true where nothing was known before: what it found is no change, also where it has not settled
   */
  started(isNew: boolean): void {
    this.#origins.clear();
    if (isNew) for (const path of this.#found.keys()) this.#found.set(path, undefined);
  }

  /** Changes from before the start are found by comparison. */
  of(path: string): { readonly actor: Actor; readonly save: string | null } {
    return this.#origins.get(path) ?? { actor: 'reconcile', save: null };
  }
}
