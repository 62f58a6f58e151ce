import type { Clock } from '#host/time/clock.ts';

/** Both sides say something at least this often, milliseconds. */
const EVERY = 5_000;
/** A peer that says nothing for this long is dead, milliseconds. */
const SILENCE = 15_000;
/** A peer that says only that it lives for this long does not do what it was asked to, milliseconds. */
export const STALLED = 30_000;

export type HeartbeatOptions = {
  readonly clock: Clock;
  /** It is time to say something. */
  readonly onBeat: () => void;
  /** The peer is dead: it has said nothing for so many milliseconds. */
  readonly onSilence: (milliseconds: number) => void;
  /** The peer lives and does nothing: what was asked of it before this time (monotonic milliseconds) is in vain. */
  readonly onStalled: (askedBefore: number) => void;
};

/** Notices when the peer has died, and when it only lives. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #heardAt: number;
  #progressAt: number;
  #cancel: () => void;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#heardAt = options.clock.monotonic();
    this.#progressAt = this.#heardAt;
    this.#cancel = this.#arm();
  }

  /** The peer said something. @param isProgress more than that it lives */
  heard(isProgress: boolean): void {
    this.#heardAt = this.#options.clock.monotonic();
    if (isProgress) this.#progressAt = this.#heardAt;
  }

  stop(): void {
    this.#cancel();
  }

  #arm(): () => void {
    return this.#options.clock.after(EVERY, () => this.#beat());
  }

  #beat(): void {
    const { clock, onBeat, onSilence, onStalled } = this.#options;
    const now = clock.monotonic();
    // First: whoever is called may end this.
    this.#cancel = this.#arm();
    if (now - this.#heardAt > SILENCE) return onSilence(now - this.#heardAt);
    if (now - this.#progressAt >= STALLED) onStalled(now - STALLED);
    onBeat();
  }
}
