import type { AgentReport } from '#protocol/messages/session.ts';

export type Activation = {
  readonly kind: string;
  readonly ok: boolean;
  /** From the change on Main until Asterisk had it, milliseconds; undefined when no change was awaited. */
  readonly afterMs: number | undefined;
};

/** Finds new reloads in the reports of one MDS, and which of them activated an awaited change. */
export class ActivationTimes {
  readonly #awaited = new Map<string, number>();
  #seen: number | undefined;

  /** Called when Main changed files of this kind of reload. @param at milliseconds since 1970, by Main's clock */
  await(kind: string, at: number): void {
    if (!this.#awaited.has(kind)) this.#awaited.set(kind, at);
  }

  /** The reloads that appear in a report for the first time, oldest first. */
  learn({ reloads, clockOffsetMs }: AgentReport): Activation[] {
    const newest = Math.max(0, ...reloads.map(({ at }) => Date.parse(at)));
    const before = this.#seen;
    this.#seen = Math.max(newest, before ?? 0);
    // Reloads from before this session may not be new.
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
