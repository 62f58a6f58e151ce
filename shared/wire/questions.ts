/** Requests that the other side has not answered yet. Each one settles: with its answer, or with the reason why none comes. */
export class Questions<Answer> {
  readonly #open = new Map<
    number,
    { resolve: (answer: Answer) => void; reject: (error: Error) => void; at: number }
  >();
  #ended: Error | undefined;

  get size(): number {
    return this.#open.size;
  }

  has(id: number): boolean {
    return this.#open.has(id);
  }

  /**
   * @param now monotonic milliseconds
   * @param send sends the request
   * @returns the answer; rejects when none can come any more
   */
  ask(id: number, now: number, send: () => void): Promise<Answer> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#open.set(id, { resolve, reject, at: now });
    send();
    return promise;
  }

  /** @returns false when the request is unknown or was answered already */
  answer(id: number, answer: Answer): boolean {
    const question = this.#open.get(id);
    this.#open.delete(id);
    question?.resolve(answer);
    return question !== undefined;
  }

  /** Fails the requests sent before this time, monotonic milliseconds. */
  giveUp(askedBefore: number, reason: string): void {
    for (const [id, { reject, at }] of this.#open) {
      if (at > askedBefore) continue;
      this.#open.delete(id);
      reject(new Error(reason));
    }
  }

  /** Fails all pending and future requests. */
  end(reason: string): void {
    this.#ended = new Error(reason);
    this.giveUp(Infinity, reason);
  }
}
