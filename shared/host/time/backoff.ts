/** Exponential back-off: delays that double from the first to the longest until an attempt succeeds. Milliseconds. */
export class Backoff {
  readonly #first: number;
  readonly #longest: number;
  #next: number;

  /** @param first more than 0 @param longest not less than the first */
  constructor(first: number, longest: number) {
    this.#first = first;
    this.#longest = longest;
    this.#next = first;
  }

  /** The delay after another failure. */
  next(): number {
    const wait = this.#next;
    this.#next = Math.min(wait * 2, this.#longest);
    return wait;
  }

  /** Resets the delay after a success. */
  reset(): void {
    this.#next = this.#first;
  }
}
