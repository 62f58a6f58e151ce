import type { DatabaseSync, SQLInputValue } from 'node:sqlite';

type Prepared = ReturnType<DatabaseSync['prepare']>;
type Row = ReturnType<Prepared['all']>[number];

/** A prepared statement that throws {@link StateError} for errors of the state's disk. */
export class Statement {
  readonly #prepared: Prepared;
  readonly #guard: <T>(call: () => T) => T;

  constructor(prepared: Prepared, guard: <T>(call: () => T) => T) {
    this.#prepared = prepared;
    this.#guard = guard;
  }

  run(...values: SQLInputValue[]): ReturnType<Prepared['run']> {
    return this.#guard(() => this.#prepared.run(...values));
  }

  get(...values: SQLInputValue[]): Row | undefined {
    return this.#guard(() => this.#prepared.get(...values));
  }

  all(...values: SQLInputValue[]): Row[] {
    return this.#guard(() => this.#prepared.all(...values));
  }

  /** One row after the other, for a table that is too large to be held as rows. */
  *each(...values: SQLInputValue[]): Generator<Row, undefined> {
    const rows = this.#guard(() => this.#prepared.iterate(...values));
    try {
      for (;;) {
        const { done, value } = this.#guard(() => rows.next());
        if (done === true) return;
        yield value;
      }
    } finally {
      // Also when the reader has had enough: an open statement would keep the database from being checkpointed.
      this.#guard(() => rows.return?.());
    }
  }

  /** Runs it with named parameters. */
  allNamed(values: Record<string, SQLInputValue>): Row[] {
    return this.#guard(() => this.#prepared.all(values));
  }
}
