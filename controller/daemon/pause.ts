import type { Clock } from '#host/time/clock.ts';
import type { Database } from '#sync/state/database.ts';
import type { DeferredWriter } from '#sync/state/deferredWriter.ts';

/** Database key: until when synchronisation is paused, milliseconds since 1970. */
const UNTIL = 'paused-until';
/** The longest wait that setTimeout takes, milliseconds: 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Records a pause for a controller that is not running. @param until milliseconds since 1970 */
export function rememberPause(db: Database, until: number): void {
  db.transaction(() => db.setMeta(UNTIL, String(until)));
}

/** Until when a pause was recorded, milliseconds since 1970; 0 without one. */
export function rememberedPause(db: Database): number {
  const until = Number(db.meta(UNTIL) ?? 0);
  return Number.isFinite(until) ? until : 0;
}

export type PauseOptions = {
  readonly db: Database;
  readonly keeper: DeferredWriter;
  readonly clock: Clock;
  /** Called when a pause begins, changes or ends. */
  readonly onChange: (isOn: boolean) => void;
};

/** Whether synchronisation is paused, and until when. Survives a restart. */
export class Pause {
  readonly #options: PauseOptions;
  /** Milliseconds since 1970. */
  #until: number;
  #cancel: (() => void) | undefined;

  constructor(options: PauseOptions) {
    this.#options = options;
    this.#until = rememberedPause(options.db);
  }

  get isOn(): boolean {
    return this.#options.clock.now() < this.#until;
  }

  /** Milliseconds since 1970; in the past when not paused. */
  get until(): number {
    return this.#until;
  }

  /** Pauses or resumes synchronisation. @param until milliseconds since 1970; 0 resumes */
  set(until: number): void {
    const { db, keeper, clock, onChange } = this.#options;
    this.#until = until;
    keeper.write(() => db.setMeta(UNTIL, String(until)));
    this.stop();
    // Looked at once: time goes on, and an MDS that is sent a pause must be sent its end, too.
    const rest = until - clock.now();
    if (rest > 0) this.#cancel = clock.after(Math.min(rest, LONGEST_TIMER), () => this.endIfDue());
    onChange(rest > 0);
  }

  /** Resumes when the time is over, or waits for the rest: after a start, and after the longest timer. */
  endIfDue(): void {
    if (this.isOn) this.set(this.#until);
    else if (this.#until > 0) this.set(0);
  }

  /** Stops the timer; the pause itself is kept. */
  stop(): void {
    this.#cancel?.();
  }
}
