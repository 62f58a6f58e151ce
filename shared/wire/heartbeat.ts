import type { Clock } from '#host/time/clock.ts';

/** How often the peer is looked after, milliseconds. */
const EVERY = 5_000;
/** Silence after which a peer counts as dead, milliseconds. */
const SILENCE = 15_000;
/** Time without progress after which requests to a peer that only sends heartbeats fail, milliseconds. */
export const STALLED = 30_000;

export type HeartbeatOptions = {
  readonly clock: Clock;
  /** Called every 5 s. @param wasHeard the peer has sent something since the last time */
  readonly onBeat: (wasHeard: boolean) => void;
  /** Called when the peer has been silent for this number of milliseconds. */
  readonly onSilence: (milliseconds: number) => void;
  /** The peer sends heartbeats only: requests made before this time (monotonic milliseconds) count as failed. */
  readonly onStalled: (askedBefore: number) => void;
};

/** Detects a dead peer, and one that sends heartbeats without making progress. */
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

  /** Notes a message of the peer. @param isProgress false for a mere sign of life */
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
    // Rescheduled first, since a callback may stop it.
    this.#cancel = this.#arm();
    if (now - this.#heardAt > SILENCE) return onSilence(now - this.#heardAt);
    if (now - this.#progressAt >= STALLED) onStalled(now - STALLED);
    onBeat(now - this.#heardAt < EVERY);
  }
}
