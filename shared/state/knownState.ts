import { z } from 'zod';
import type { Database } from './database.ts';

const schema = z.object({ stateId: z.string(), sequence: z.number() });

/** Which state the other side had when it was last heard of. */
export type KnownState = z.infer<typeof schema>;

/** Writing it down costs a disk flush: not more often than this, milliseconds. */
const WRITE_EVERY = 2_000;

/**
 * Remembers the other side's state over restarts, to notice when it comes back with a new one (its database was
 * lost) or an older one (a backup was put back): then its silence about a file proves nothing.
 */
export class StateMemory {
  readonly #db: Database;
  readonly #key: string;
  #known: KnownState | undefined;
  #written = 0;
  #dirty = false;

  constructor(db: Database, whose: string) {
    this.#db = db;
    this.#key = `known:${whose}`;
    const text = db.meta(this.#key);
    this.#known = text === undefined ? undefined : schema.safeParse(JSON.parse(text)).data;
  }

  get known(): KnownState | undefined {
    return this.#known;
  }

  /** How the state differs from what was known, or undefined when it is the same one, as new or newer. */
  strangeness(state: KnownState): 'new' | 'older' | undefined {
    if (this.#known === undefined) return undefined;
    if (this.#known.stateId !== state.stateId) return 'new';
    return state.sequence < this.#known.sequence ? 'older' : undefined;
  }

  /** @param now monotonic milliseconds */
  learn(state: KnownState, now: number): void {
    const { stateId, sequence } = this.#known ?? {};
    if (stateId === state.stateId && sequence === state.sequence) return;
    this.#known = state;
    this.#dirty = true;
    if (now - this.#written >= WRITE_EVERY) this.write(now);
  }

  /** @param now monotonic milliseconds */
  write(now: number): void {
    if (!this.#dirty || this.#known === undefined) return;
    this.#db.setMeta(this.#key, JSON.stringify(this.#known));
    this.#dirty = false;
    this.#written = now;
  }
}
