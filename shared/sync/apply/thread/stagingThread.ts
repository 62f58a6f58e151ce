import type { Clock } from '#host/time/clock.ts';
import { RunningThread } from './runningThread.ts';

/** How long it waits for more work before it ends, milliseconds: it takes memory. */
const IDLE = 3_000;

/** A thread that is lent, until it is disposed of. */
export type LentThread = Disposable & { readonly thread: RunningThread };

/**
 * A thread that verifies, creates and writes small files, and writes and hashes large ones, so that this one goes on receiving
 * meanwhile: that is half of the work. It is started when it is first needed, and ends by itself.
 */
export class StagingThread {
  readonly #clock: Clock;
  #running: RunningThread | undefined;
  #users = 0;
  #cancelEnd: (() => void) | undefined;
  #ending: Promise<void> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Lends it, starting it if needed. */
  lend(): LentThread {
    this.#cancelEnd?.();
    this.#users += 1;
    // One that failed is replaced.
    if (this.#running?.isAlive !== true) this.#running = new RunningThread();
    return { thread: this.#running, [Symbol.dispose]: () => this.#giveBack() };
  }

  /** True between its first use and its end. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Ends it. What is still asked of it fails, so all users should have ended. */
  async close(): Promise<void> {
    this.#cancelEnd?.();
    this.#end();
    await this.#ending;
  }

  #giveBack(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#cancelEnd = this.#clock.after(IDLE, () => this.#end());
  }

  #end(): void {
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) this.#ending = this.#ending.then(() => running.end());
  }
}
