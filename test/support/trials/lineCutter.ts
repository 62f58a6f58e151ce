import { MemoryLine } from '../wire/memorySocket.ts';

/** Who sends: the agent or Main. */
export type Way = 'from the MDS' | 'from Main';
/** How the line ends, or what is called instead of ending it. */
export type Cut = 'close' | 'reset' | 'silence' | (() => void);

export type CutPlan = {
  readonly way: Way;
  /** The number of the message that the line ends with, of those that go this way. */
  readonly message: number;
  readonly cut: Cut;
  /** Whether the message itself arrives, which its sender can't tell; it does when absent. */
  readonly arrives?: boolean;
  /** So many turns of the event loop later: what the message caused is under way. */
  readonly turns?: number;
};

/** Makes the lines of one pair, counts what goes over them, and cuts the one that carries a certain message. */
export class LineCutter {
  /** Messages that have gone over any line. */
  delivered = 0;
  /** Messages since the count began, each way. */
  readonly counts: Record<Way, number> = { 'from the MDS': 0, 'from Main': 0 };
  /** The cut that was asked for has happened. */
  hasCut = false;
  #plan: CutPlan | undefined;
  /** A cut that was asked for is a few turns away. */
  isCutting = false;
  readonly #lines = new Set<MemoryLine>();
  /** The newest session's. */
  #session: MemoryLine | undefined;

  make(isSession: boolean): MemoryLine {
    const line: MemoryLine = new MemoryLine((from) => {
      this.delivered += 1;
      const way = from === 'a' ? 'from the MDS' : 'from Main';
      this.counts[way] += 1;
      const plan = this.#plan;
      if (plan === undefined || plan.way !== way || this.counts[way] !== plan.message) return true;
      this.#plan = undefined;
      this.hasCut = true;
      this.isCutting = true;
      this.#cutAfter(plan.turns ?? 0, () =>
        typeof plan.cut === 'function' ? plan.cut() : line.cut(plan.cut),
      );
      return plan.arrives !== false;
    });
    this.#lines.add(line);
    if (isSession) this.#session = line;
    return line;
  }

  /** Counts from here. */
  begin(): void {
    this.counts['from the MDS'] = 0;
    this.counts['from Main'] = 0;
    this.hasCut = false;
    this.#plan = undefined;
  }

  cutAfter(plan: CutPlan): void {
    this.begin();
    this.#plan = plan;
  }

  #cutAfter(turns: number, cut: () => void): void {
    if (turns > 0) {
      setImmediate(() => this.#cutAfter(turns - 1, cut));
      return;
    }
    queueMicrotask(() => {
      this.isCutting = false;
      cut();
    });
  }

  /** What was not reached is not reached any more. */
  forget(): void {
    this.#plan = undefined;
  }

  /** Ends the session's connection. */
  cutNow(how: 'close' | 'reset' | 'silence'): void {
    this.#session?.cut(how);
  }

  /** Holds back the session's messages until the work is done. */
  async holdBack(work: Promise<unknown>): Promise<void> {
    const line = this.#session;
    if (line !== undefined) line.isHeld = true;
    try {
      await work;
    } finally {
      line?.goOn();
    }
  }

  /** Whether the newest session's line carries messages. */
  get lives(): boolean {
    const line = this.#session;
    return (
      line !== undefined &&
      !line.isSilent &&
      line.a.readyState === line.a.OPEN &&
      line.b.readyState === line.b.OPEN
    );
  }

  /** Lines that have an end which was not closed. */
  get open(): number {
    for (const line of this.#lines) if (!line.isOpen) this.#lines.delete(line);
    return this.#lines.size;
  }
}
