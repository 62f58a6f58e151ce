/** Over how long the rate is taken, milliseconds: long enough not to jump, short enough to show what is going on. */
const WINDOW = 5_000;
/** Samples are at least so far apart, milliseconds. */
const SAMPLE_EVERY = 250;

/** Content on its way between Main and one MDS, in one stream. */
export type Transfer = {
  readonly directory: string;
  readonly direction: 'to-mds' | 'to-main';
  /** The first of its files. */
  readonly path: string;
  readonly files: number;
  /** About how many bytes all of it has. */
  readonly bytesTotal: number;
  /** How many have travelled, as they travel: compressed, or only what differs. */
  readonly moved: () => number;
};

/** What travels to and from one MDS now, and how fast. */
export class Traffic {
  readonly #now: () => number;
  readonly #open = new Set<Transfer>();
  /** Bytes of transfers that ended since the last report, by directory: the report still counts them as to go. */
  readonly #ended = new Map<string, number>();
  #movedBefore = 0;
  readonly #samples: { at: number; moved: number }[] = [];

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A transfer has begun. @returns what to call when it has ended; more than once does no harm */
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

  /** The MDS has reported what is to go now. */
  reported(): void {
    this.#ended.clear();
  }

  /** What has travelled of that which the last report counts as to go, bytes. */
  travelled(directory: string): number {
    let bytes = this.#ended.get(directory) ?? 0;
    for (const transfer of this.#open)
      if (transfer.directory === directory) bytes += Math.min(transfer.moved(), transfer.bytesTotal);
    return bytes;
  }

  get transfers(): readonly Transfer[] {
    return [...this.#open];
  }

  /** Bytes a second over the last seconds; 0 when nothing moves. */
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
    // One that is older than the window stays, unless the next one already covers the whole of it.
    while ((this.#samples[1]?.at ?? at) <= at - WINDOW) this.#samples.shift();
  }
}
