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

  /** Runs it with named parameters. */
  allNamed(values: Record<string, SQLInputValue>): Row[] {
    return this.#guard(() => this.#prepared.all(values));
  }
}
