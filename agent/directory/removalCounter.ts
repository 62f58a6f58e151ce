import type { DirectoryEvents } from './directoryEvents.ts';
import type { Database } from '#sync/state/database.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { countSurvivors, type RemovalBudget } from '#core/plan/guard.ts';
import type { Guard } from '#core/plan/policy.ts';
import type { MainManifest } from './manifest/mainManifest.ts';

/** Removals within this time count together against the guard, milliseconds. */
const FLOOD_WINDOW = 60_000;
/** An unused confirmation expires after this time, milliseconds. */
const CONFIRMED_FOR = 60_000;

/** Database key of a hold. */
export type HoldMemory = { readonly load: () => boolean; readonly save: (standing: boolean) => void };

/** The memory in the state of a directory. */
export function holdMemoryOf(
  db: Database,
  name: string,
  guard: Guard,
  events: Pick<DirectoryEvents, 'remember'>,
): HoldMemory {
  const [key, known] = [`held:${name}`, JSON.stringify(guard)];
  return {
    // Judged again under a new guard.
    load: () => db.meta(key) === known,
    save: (standing) => events.remember(() => db.setMeta(key, standing ? known : undefined)),
  };
}

/** The number of removals allowed now, from recent removals and confirmations. */
export class RemovalCounter {
  readonly #guard: Guard;
  #additive: { readonly reason: string; readonly judgedFrom: number } | undefined;
  #lately: { at: number; files: number }[] = [];
  #confirmedUntil = 0;
  readonly #memory: HoldMemory;
  /** A mass removal is on hold until it is confirmed, or nothing of it is left. */
  #standing: boolean;

  /** @param memory survives a restart: a hold must not lapse because the agent was restarted */
  constructor(guard: Guard, memory: HoldMemory) {
    this.#guard = guard;
    this.#memory = memory;
    this.#standing = memory.load();
  }

  /** True when all removals are on hold, whatever their number. */
  get isAdditive(): boolean {
    return this.#additive !== undefined;
  }

  /**
   * Starts or ends a hold of all removals because of a state mismatch.
   * @param judgedFrom the time by which both sides must have noticed earlier removals, monotonic milliseconds: a file
   * that has just disappeared is still in the manifest for its settle time, and a plan without removals proves nothing
   * until then
   */
  setAdditive(reason: string | undefined, judgedFrom: number): void {
    this.#additive = reason === undefined ? undefined : { reason, judgedFrom };
  }

  /**
   * Called after a full plan without removals on hold.
   * @param now monotonic milliseconds
   * @returns after how many milliseconds to plan again, if it was too early to prove anything
   */
  nothingHeld(now: number): number | undefined {
    const early = this.isConfirmed(now) ? 0 : (this.#additive?.judgedFrom ?? 0) - now;
    if (early > 0) return early;
    this.#additive = undefined;
    this.#stand(false);
    return undefined;
  }

  /** @param now monotonic milliseconds */
  budget(agreedFiles: number, now: number): RemovalBudget {
    this.#lately = this.#lately.filter(({ at }) => now - at < FLOOD_WINDOW);
    return {
      guard: this.#guard,
      agreedFiles,
      removedLately: this.#lately.reduce((sum, { files }) => sum + files, 0),
      additive: this.#additive?.reason,
      standing: this.#standing,
      confirmed: this.isConfirmed(now),
    };
  }

  /** Called after a plan with removals on hold. */
  held(): void {
    this.#stand(true);
  }

  isConfirmed(now: number): boolean {
    return now < this.#confirmedUntil;
  }

  /** Allows the removals on hold, at a person's request. */
  confirm(now: number): void {
    this.#confirmedUntil = now + CONFIRMED_FOR;
  }

  /** The confirmed removals have been made: the next mass removal is held again, and these do not count against it. */
  used(): void {
    this.#stand(false);
    this.#confirmedUntil = 0;
    this.#lately = [];
  }

  #stand(standing: boolean): void {
    if (standing === this.#standing) return;
    this.#standing = standing;
    this.#memory.save(standing);
  }

  /** Counts removals, but not renames on Main. @param now monotonic milliseconds */
  count(removed: readonly Entry[], mainManifest: MainManifest, now: number): void {
    let files = removed.filter(({ type }) => type !== 'folder').length;
    if (files > 1) files -= countSurvivors(removed, mainManifest);
    if (files > 0) this.#lately.push({ at: now, files });
  }
}
