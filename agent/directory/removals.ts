import type { Entry } from '../../shared/manifest/entry.ts';
import { countSurvivors, type RemovalBudget } from '../../shared/plan/guard.ts';
import type { Guard } from '../../shared/plan/policy.ts';
import type { MainView } from './mainView.ts';

/** Removals within this time count together against the guard, milliseconds. */
const FLOOD_WINDOW = 60_000;
/** A confirmation that nothing comes of lapses after this time, milliseconds. */
const CONFIRMED_FOR = 60_000;

/** How much may be removed now: what was removed lately, and what a person has confirmed. */
export class Removals {
  /** Why removals wait for a person, whatever their number; over when a whole plan has none. */
  additive: string | undefined;
  readonly #guard: Guard;
  #lately: { at: number; files: number }[] = [];
  #confirmedUntil = 0;

  constructor(guard: Guard) {
    this.#guard = guard;
  }

  /** @param now monotonic milliseconds */
  budget(agreedFiles: number, now: number): RemovalBudget {
    this.#lately = this.#lately.filter(({ at }) => now - at < FLOOD_WINDOW);
    return {
      guard: this.#guard,
      agreedFiles,
      removedLately: this.#lately.reduce((sum, { files }) => sum + files, 0),
      additive: this.additive,
      confirmed: this.isConfirmed(now),
    };
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
    this.#confirmedUntil = 0;
    this.#lately = [];
  }

  /** Counts what was removed. What was only renamed on Main was not. @param now monotonic milliseconds */
  count(removed: readonly Entry[], mainView: MainView, now: number): void {
    let files = removed.filter(({ type }) => type !== 'folder').length;
    if (files > 1) files -= countSurvivors(removed, mainView);
    if (files > 0) this.#lately.push({ at: now, files });
  }
}
