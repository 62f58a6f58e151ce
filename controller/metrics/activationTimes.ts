import type { AgentReport } from '#protocol/messages/session.ts';

export type Activation = {
  readonly kind: string;
  readonly ok: boolean;
  /** From the change on Main until Asterisk had it, milliseconds; undefined when no change was awaited. */
  readonly afterMs: number | undefined;
};

/** Finds in one MDS's reports which reloads are new, and which of them made an awaited change active. */
export class ActivationTimes {
  readonly #awaited = new Map<string, number>();
  #seen: number | undefined;

  /** Main changed what this kind of reload reads. @param at milliseconds since 1970, by Main's clock */
  await(kind: string, at: number): void {
    if (!this.#awaited.has(kind)) this.#awaited.set(kind, at);
  }

  /** The reloads that a report is the first to name, oldest first. */
  learn({ reloads, clockOffsetMs }: AgentReport): Activation[] {
    const newest = Math.max(0, ...reloads.map(({ at }) => Date.parse(at)));
    const before = this.#seen;
    this.#seen = Math.max(newest, before ?? 0);
    // What was reloaded before this session is not known to be new.
    if (before === undefined) return [];
    return reloads
      .filter(({ at }) => Date.parse(at) > before)
      .map(({ kind, at, ok, durationMs }) => {
        const startedAt = Date.parse(at) - clockOffsetMs;
        const changedAt = this.#awaited.get(kind);
        if (!ok || changedAt === undefined || startedAt < changedAt) return { kind, ok, afterMs: undefined };
        this.#awaited.delete(kind);
        return { kind, ok, afterMs: startedAt + durationMs - changedAt };
      });
  }
}
