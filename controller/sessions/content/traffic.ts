/** Window of the rate, milliseconds: long enough to be smooth, short enough to be current. */
const WINDOW = 5_000;
/** Least time between two samples, milliseconds. */
const SAMPLE_EVERY = 250;

/** A transfer between Main and one MDS, in one stream. */
export type Transfer = {
  readonly directory: string;
  readonly direction: 'to-mds' | 'to-main';
  /** The first of its files. */
  readonly path: string;
  readonly files: number;
  /** Estimated bytes of the whole transfer. */
  readonly bytesTotal: number;
  /** Bytes transferred so far, as sent: compressed, or only the blocks that differ. */
  readonly moved: () => number;
};

/** The current transfers to and from one MDS, and their rate. */
export class Traffic {
  readonly #now: () => number;
  readonly #open = new Set<Transfer>();
  /** Bytes of transfers that ended since the last report, by directory, which that report still counts as to go. */
  readonly #ended = new Map<string, number>();
  #movedBefore = 0;
  readonly #samples: { at: number; moved: number }[] = [];

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Adds a transfer. @returns call it when the transfer has ended; idempotent */
  begin(transfer: Transfer): (isWhole: boolean) => void {
    this.#sample();
    this.#open.add(transfer);
    return (isWhole) => {
      if (!this.#open.delete(transfer)) return;
      this.#movedBefore += transfer.moved();
      const { directory, bytesTotal } = transfer;
      if (isWhole) this.#ended.set(directory, (this.#ended.get(directory) ?? 0) + bytesTotal);
    };
  }

  /** Resets the counts when the MDS reports its bytes to go. */
  reported(): void {
    this.#ended.clear();
  }

  /** Bytes transferred of those that the last report counts as to go. */
  travelled(directory: string): number {
    let bytes = this.#ended.get(directory) ?? 0;
    for (const transfer of this.#open)
      if (transfer.directory === directory) bytes += Math.min(transfer.moved(), transfer.bytesTotal);
    return bytes;
  }

  get transfers(): readonly Transfer[] {
    return [...this.#open];
  }

  /** Bytes per second over the window; 0 when nothing is transferred. */
  get rate(): number {
    this.#sample();
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at === first.at) return 0;
    return Math.round(((last.moved - first.moved) * 1_000) / (last.at - first.at));
  }

  #sample(): void {
    const at = this.#now();
    const last = this.#samples.at(-1);
    if (last !== undefined && at - last.at < SAMPLE_EVERY) return;
    let moved = this.#movedBefore;
    for (const transfer of this.#open) moved += transfer.moved();
    this.#samples.push({ at, moved });
    // One sample older than the window is kept, unless the next one covers the window as well.
    while ((this.#samples[1]?.at ?? at) <= at - WINDOW) this.#samples.shift();
  }
}
