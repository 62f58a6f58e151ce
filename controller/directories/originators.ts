import { randomBytes } from 'node:crypto';
import { changeSetId } from '#core/changeSet.ts';
import type { Changes } from '#sync/scan/pathIndex.ts';

/** Who changed something on Main: `watcher` and `reconcile` for what was found on its disk, a command's user, or an MDS. */
export type Actor = string;

/** A change of Main's: who made it, and the id by which the history of every host shows what it led to. */
export type Origin = { readonly actor: Actor; readonly save: string };

/** Paths that are remembered for a directory: more than a first pass over most of them. */
const MAX_PATHS = 200_000;

/** Where the newest change of each path on Main came from, as far as that was since it started. */
export class Originators {
  readonly #origins = new Map<string, Origin>();
  /** How the change was found that a path is still under. */
  readonly #found = new Map<string, Actor>();

  /**
   * What was found on disk. It comes to rest later, and counts as found at first sight.
   * @param now milliseconds since 1970
   * @returns the id of the save, when something came to rest
   */
  found(changes: Changes, actor: Actor, now: number): string | undefined {
    // An MDS never learns it, and can't guess it.
    const save = changeSetId(now, randomBytes(8).toString('hex'));
    let isSave = false;
    for (const [path, { after }] of changes) {
      if (after?.kind === 'moving') {
        if (!this.#found.has(path)) this.#found.set(path, actor);
        continue;
      }
      this.note([path], { actor: this.#found.get(path) ?? actor, save });
      this.#found.delete(path);
      isSave = true;
    }
    return isSave ? save : undefined;
  }

  note(paths: Iterable<string>, origin: Origin): void {
    for (const path of paths) {
      // The newest last: the oldest make room.
      this.#origins.delete(path);
      this.#origins.set(path, origin);
    }
    for (const path of this.#origins.keys()) {
      if (this.#origins.size <= MAX_PATHS) break;
      this.#origins.delete(path);
    }
  }

  /** Forgets what the first reading found: that is assumed of all that is not known. */
  started(): void {
    this.#origins.clear();
  }

  /** What was there before Main started is found by comparing. */
  of(path: string): { readonly actor: Actor; readonly save: string | null } {
    return this.#origins.get(path) ?? { actor: 'reconcile', save: null };
  }
}
