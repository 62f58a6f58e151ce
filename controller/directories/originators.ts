import type { Changes } from '#sync/scan/pathIndex.ts';

/** Who changed something on Main: `watcher` and `reconcile` for what was found on its disk, a command's user, or an MDS. */
export type Actor = string;

const RECONCILE = 'reconcile';
/** Paths that are remembered for a directory: more than a first pass over most of them. */
const MAX_PATHS = 200_000;

/** Who made the newest change of each path on Main, as far as that was since it started: the history of each MDS tells it. */
export class Originators {
  readonly #actors = new Map<string, Actor>();
  /** How the change was found that a path is still under. */
  readonly #found = new Map<string, Actor>();

  /** What was found on disk. It comes to rest later, and counts as found at first sight. */
  found(changes: Changes, actor: Actor): void {
    for (const [path, { after }] of changes) {
      if (after?.kind === 'moving') {
        if (!this.#found.has(path)) this.#found.set(path, actor);
        continue;
      }
      this.note([path], this.#found.get(path) ?? actor);
      this.#found.delete(path);
    }
  }

  note(paths: Iterable<string>, actor: Actor): void {
    for (const path of paths) {
      // The newest last: the oldest make room. What a full reading found is what is assumed of the rest.
      this.#actors.delete(path);
      if (actor !== RECONCILE) this.#actors.set(path, actor);
    }
    for (const path of this.#actors.keys()) {
      if (this.#actors.size <= MAX_PATHS) break;
      this.#actors.delete(path);
    }
  }

  /** What was there before Main started is found by comparing. */
  of(path: string): Actor {
    return this.#actors.get(path) ?? RECONCILE;
  }
}
