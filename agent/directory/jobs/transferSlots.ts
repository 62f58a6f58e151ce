/** Most change sets of a directory whose content travels one way at a time. */
const SLOTS = 2;

/**
 * Lets the content of only so many change sets of a directory travel one way at a time, while others are made durable and
 * visible. If all of them travelled together they would also end together, and the network would wait for the disk, then the
 * disk for the network.
 */
export class TransferSlots {
  #free = SLOTS;
  readonly #waiting: ((slot: Disposable) => void)[] = [];

  /** Resolves with a slot, in the order of the calls. It is free again when it is first disposed of. */
  take(): Promise<Disposable> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#lend();
    });
  }

  #lend(): void {
    if (this.#free === 0) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#free -= 1;
    let isLent = true;
    next({
      [Symbol.dispose]: () => {
        if (!isLent) return;
        isLent = false;
        this.#free += 1;
        this.#lend();
      },
    });
  }
}
