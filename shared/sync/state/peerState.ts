import * as z from 'zod';
import { interpreted } from '#protocol/interpreted.ts';
import type { Database, Run } from './database.ts';
import type { DeferredWriter } from './deferredWriter.ts';

const schema = z.object({ stateId: z.string(), sequence: z.number(), run: z.string().optional() });

/** The last known state of the other side, and the run in which it was seen. */
type KnownState = z.infer<typeof schema>;

/** The state that a side reports when it connects. A side of an older version reports no runs. */
export type ReportedState = {
  readonly stateId: string;
  readonly sequence: number;
  readonly runs?: readonly Run[] | undefined;
};

/** Least time between two writes, milliseconds, since each costs a disk flush. */
const WRITE_EVERY = 2_000;

/**
 * Remembers the other side's state over restarts, to detect a state mismatch: a new database (the old one was lost) or an
 * older copy (a backup was restored). After a mismatch, a missing file proves no removal.
 */
export class StateMemory {
  readonly #keeper: Pick<DeferredWriter, 'write'>;
  readonly #db: Database;
  readonly #key: string;
  #known: KnownState | undefined;
  #written = 0;
  #dirty = false;

  constructor(db: Database, keeper: Pick<DeferredWriter, 'write'>, whose: string) {
    this.#keeper = keeper;
    this.#db = db;
    this.#key = `known:${whose}`;
    const text = db.meta(this.#key);
    this.#known = text === undefined ? undefined : schema.safeParse(db.readJson(text), interpreted()).data;
  }

  /** The kind of state mismatch; undefined when it is the known state, at the same point or a later one. */
  mismatch(state: ReportedState): 'new' | 'older' | undefined {
    const known = this.#known;
    if (known === undefined) return undefined;
    if (known.stateId !== state.stateId) return 'new';
    const { runs } = state;
    if (runs === undefined || known.run === undefined)
      return state.sequence < known.sequence ? 'older' : undefined;
    // The known run must be listed, and must have reached the known sequence before the next run began.
    const index = runs.findIndex(({ id }) => id === known.run);
    const reached = runs[index + 1]?.from ?? state.sequence;
    return index < 0 || reached < known.sequence ? 'older' : undefined;
  }

  /** Remembers a reported state. @param sequence the latest reported sequence @param now monotonic milliseconds */
  learn(state: ReportedState, sequence: number, now: number): void {
    const run = state.runs?.at(-1)?.id;
    const before = this.#known;
    if (before?.stateId !== state.stateId || before.run !== run || before.sequence !== sequence) {
      this.#known = { stateId: state.stateId, sequence, ...(run !== undefined && { run }) };
      this.#dirty = true;
    }
    const isOther = before?.stateId !== state.stateId || before.run !== run;
    if (isOther || now - this.#written >= WRITE_EVERY) this.write(now);
  }

  /** Writes the remembered state, if it changed. @param now monotonic milliseconds */
  write(now: number): void {
    if (!this.#dirty || this.#known === undefined) return;
    const text = JSON.stringify(this.#known);
    this.#keeper.write(() => this.#db.setMeta(this.#key, text));
    this.#dirty = false;
    this.#written = now;
  }
}
