import type { Entry } from '#core/manifest/entry.ts';
import { countSurvivors, type RemovalBudget } from '#core/plan/guard.ts';
import type { Guard } from '#core/plan/policy.ts';
import type { MainManifest } from './mainManifest.ts';

/** Removals within this time count together against the guard, milliseconds. */
const FLOOD_WINDOW = 60_000;
/** A confirmation that nothing comes of lapses after this time, milliseconds. */
const CONFIRMED_FOR = 60_000;

/** Where it is kept that a hold stands. */
export type HoldMemory = { readonly load: () => boolean; readonly save: (standing: boolean) => void };

/** How much may be removed now: what was removed lately, and what a person has confirmed. */
export class RemovalCounter {
  readonly #guard: Guard;
  #additive: { readonly reason: string; readonly judgedFrom: number } | undefined;
  #lately: { at: number; files: number }[] = [];
  #confirmedUntil = 0;
  readonly #memory: HoldMemory;
  /** A mass removal is on hold until it is confirmed, or nothing of it is left. */
  #standing: boolean;

  /** @param memory survives a restart: a hold must not lapse because the agent was started anew */
  constructor(guard: Guard, memory: HoldMemory) {
    this.#guard = guard;
    this.#memory = memory;
    this.#standing = memory.load();
  }

  /** Removals wait for a person, whatever their number. */
  get isAdditive(): boolean {
    return this.#additive !== undefined;
  }

  /**
   * Lets removals wait because a side's state is not the one that was known, or no longer.
   * @param judgedFrom when both sides must have noticed what had gone before, monotonic milliseconds: a file that
   *   just vanished is still shown for its settle time, and a plan without removals proves nothing until then
   */
  setAdditive(reason: string | undefined, judgedFrom: number): void {
    this.#additive = reason === undefined ? undefined : { reason, judgedFrom };
  }

  /**
   * A whole plan holds nothing back.
   * @param now monotonic milliseconds
   * @returns after how many milliseconds to make another, if that was too early to prove anything
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

  /** A plan holds removals back. */
  held(): void {
    this.#stand(true);
  }

  isConfirmed(now: number): boolean {
    return now < this.#confirmedUntil;
  }

  /** A person lets what is held happen. */
  confirm(now: number): void {
    this.#confirmedUntil = now + CONFIRMED_FOR;
  }

  /** It has happened: the next flood is held again, and what was confirmed does not count against it. */
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

  /** Counts what was removed. What was only renamed on Main was not. @param now monotonic milliseconds */
  count(removed: readonly Entry[], mainView: MainManifest, now: number): void {
    let files = removed.filter(({ type }) => type !== 'folder').length;
    if (files > 1) files -= countSurvivors(removed, mainView);
    if (files > 0) this.#lately.push({ at: now, files });
  }
}
