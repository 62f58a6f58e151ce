import * as z from 'zod';
import type { Database, Run } from './database.ts';
import type { DeferredWriter } from './deferredWriter.ts';

const schema = z.object({ stateId: z.string(), sequence: z.number(), run: z.string().optional() });

/** Which state the other side had when it was last heard of, and in which of its runs that was. */
type KnownState = z.infer<typeof schema>;

/** What a side says of its own state when it connects. A side of an older version names no runs. */
export type ReportedState = {
  readonly stateId: string;
  readonly sequence: number;
  readonly runs?: readonly Run[] | undefined;
};

/** Writing it down costs a disk flush: not more often than this, milliseconds. */
const WRITE_EVERY = 2_000;

/**
 * Remembers the other side's state over restarts, to notice when it comes back with a new one (its database was
 * lost) or an older one (a backup was put back): then its silence about a file proves nothing.
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
    this.#known = text === undefined ? undefined : schema.safeParse(db.readJson(text)).data;
  }

  /** How the state differs from what was known, or undefined when it is the same one, as new or newer. */
  mismatch(state: ReportedState): 'new' | 'older' | undefined {
    const known = this.#known;
    if (known === undefined) return undefined;
    if (known.stateId !== state.stateId) return 'new';
    const { runs } = state;
    if (runs === undefined || known.run === undefined)
      return state.sequence < known.sequence ? 'older' : undefined;
    // The run that we know must be there, and must have gone as far as we know before another one took over.
    const index = runs.findIndex(({ id }) => id === known.run);
    const reached = runs[index + 1]?.from ?? state.sequence;
    return index < 0 || reached < known.sequence ? 'older' : undefined;
  }

  /** @param sequence the newest that was heard @param now monotonic milliseconds */
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

  /** @param now monotonic milliseconds */
  write(now: number): void {
    if (!this.#dirty || this.#known === undefined) return;
    const text = JSON.stringify(this.#known);
    this.#keeper.write(() => this.#db.setMeta(this.#key, text));
    this.#dirty = false;
    this.#written = now;
  }
}
