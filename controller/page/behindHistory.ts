import type { Status } from '../control/contract/contract.ts';

/** Length of one slot, milliseconds. */
const SLOT = 5 * 60_000;
/** A day of slots. */
const SLOTS = 288;

/**
 * How far behind each MDS was in the last 24 hours, since this program started: the worst of every five minutes, seconds.
 * About 2 kB an MDS.
 */
export class BehindHistory {
  readonly #rings = new Map<string, Float32Array>();
  #slot = Number.NaN;

  /** @param now milliseconds since 1970 */
  sample({ mds }: Status, now: number): void {
    this.#advance(Math.floor(now / SLOT));
    for (const { name, lagMs } of mds) {
      // Unknown for a disconnected MDS that may have missed nothing.
      if (lagMs === null) continue;
      const behind = lagMs / 1_000;
      const ring = this.#rings.get(name) ?? new Float32Array(SLOTS).fill(Number.NaN);
      this.#rings.set(name, ring);
      const at = this.#slot % SLOTS;
      const known = ring[at] ?? Number.NaN;
      ring[at] = Number.isNaN(known) ? behind : Math.max(known, behind);
    }
  }

  /** By MDS, oldest first; null where nothing was seen. */
  get all(): Record<string, (number | null)[]> {
    const all: Record<string, (number | null)[]> = {};
    for (const [name, ring] of this.#rings) {
      all[name] = Array.from({ length: SLOTS }, (_, i) => {
        const value = ring[(this.#slot + 1 + i) % SLOTS] ?? Number.NaN;
        return Number.isNaN(value) ? null : Math.round(value * 10) / 10;
      });
    }
    return all;
  }

  /** Slots in which nothing was seen are empty; after a clock that was set back, too. */
  #advance(slot: number): void {
    if (slot === this.#slot) return;
    const passed = slot > this.#slot ? Math.min(slot - this.#slot, SLOTS) : SLOTS;
    for (const ring of this.#rings.values())
      for (let i = 0; i < passed; i++) ring[(slot - i + SLOTS) % SLOTS] = Number.NaN;
    this.#slot = slot;
  }
}
