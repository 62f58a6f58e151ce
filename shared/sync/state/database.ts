import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { randomBytes, randomUUID } from 'node:crypto';
import * as z from 'zod';
import { asStateError, DamagedState, StateError } from './stateError.ts';
import { isDamage, openStateFile, WAL } from './stateFile.ts';
import { Statement } from './statement.ts';

const runsSchema = z.array(z.object({ id: z.string().max(64), from: z.int().min(0) }));

/** One start of the program with a state. */
export type Run = Readonly<z.infer<typeof runsSchema>[number]>;

/** Whoever was away for more starts of the other side than this can't tell its state from an old one. */
const MAX_RUNS = 256;

/** So much may wait to be written back into the file, bytes (SQLite's own default, 1,000 pages). */
const WRITE_BACK = 4_096_000;
/** How often it is looked how much waits, in transactions. */
const LOOK_EVERY = 64;

/** The state of one side: rebuildable from disk, so losing it loses no file. */
export class Database {
  readonly file: string;
  /** Names this very state: a new database is another state, whatever it says. */
  readonly stateId: string;
  /**
   * When which run of the program took this state over, oldest first, each with the sequence at its start. A copy
   * that is put back lacks the runs since: that shows however much it changes afterwards.
   */
  readonly runs: readonly Run[];
  readonly #db: DatabaseSync;
  readonly #damaged = new AbortController();
  readonly #onFailure = new Set<(error: unknown) => void>();
  #inTransaction = false;
  /** What takes the changes of the transaction in hand back in memory, oldest first. */
  #undo: (() => void)[] = [];
  #sequence: number;
  #isOpen = true;
  #commits = 0;
  #lookedAt: { readonly ino: bigint; readonly size: bigint; readonly mtimeNs: bigint };

  /**
   * Opens or creates it.
   * @throws StateError when its disk does not let it; DamagedState when its bytes are not what was written; an error
   *   when it was written by a newer version of the program
   */
  constructor(file: string) {
    this.file = file;
    this.#db = this.#guard(() => openStateFile(file));
    try {
      this.#sequence = Number(this.meta('sequence') ?? 0);
      if (!Number.isSafeInteger(this.#sequence)) throw this.damagedBy('its sequence is no number');
      const known = this.meta('state-id');
      this.stateId = known ?? randomUUID();
      const run = { id: randomBytes(8).toString('hex'), from: this.#sequence };
      const runs = runsSchema.safeParse(this.readJson(this.meta('runs') ?? '[]'));
      if (!runs.success) throw this.damagedBy('its runs make no sense');
      this.runs = [...runs.data, run].slice(-MAX_RUNS);
      this.transaction(() => {
        if (known === undefined) this.setMeta('state-id', this.stateId);
        this.setMeta('runs', JSON.stringify(this.runs));
      });
      this.#lookedAt = statSync(file, { bigint: true });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Aborted, with a {@link DamagedState} as its reason, once it is found that the state is of no more use. */
  get damaged(): AbortSignal {
    return this.#damaged.signal;
  }

  /** Resolves once that is found. */
  whenDamaged(): Promise<void> {
    return new Promise((resolve) => {
      if (this.damaged.aborted) resolve();
      else this.damaged.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** What is stored can't be what was written. @returns what to throw */
  damagedBy(found: string): DamagedState {
    const damage = new DamagedState(this.file, found);
    this.#hearDamage(damage);
    return damage;
  }

  /** JSON that this program has stored. @throws DamagedState when it is none any more */
  readJson(text: unknown): unknown {
    try {
      return JSON.parse(String(text));
    } catch (error) {
      throw this.damagedBy(error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * Looks whether somebody else wrote into the file, or put another one in its place: SQLite itself would notice that
   * late or never, since what it works with is in its cache and beside the file. Then writes back what waits.
   */
  lookForDamage(): void {
    if (!this.#isOpen || this.#inTransaction || this.damaged.aborted) return;
    try {
      const now = statSync(this.file, { bigint: true, throwIfNoEntry: false });
      const { ino, size, mtimeNs } = this.#lookedAt;
      if (now === undefined) this.damagedBy('the file is gone');
      else if (now.ino !== ino) this.damagedBy('another file has taken its place');
      else if (now.size !== size || now.mtimeNs !== mtimeNs) this.damagedBy('somebody else wrote into it');
      else this.#writeBack();
    } catch {
      // A disk that does not let it be looked at, or written back, is heard of with the next statement.
    }
  }

  /** Writes back into the file what waits beside it, when that is much. @throws StateError */
  #writeBack(): void {
    const waits = statSync(this.file + WAL, { throwIfNoEntry: false })?.size ?? 0;
    if (waits >= WRITE_BACK) this.#checkpoint('PASSIVE');
  }

  /** Writes back all that waits, and gives its room back. @throws StateError */
  writeBackAll(): void {
    this.#checkpoint('TRUNCATE');
  }

  #checkpoint(how: 'PASSIVE' | 'TRUNCATE'): void {
    try {
      this.#exec(`PRAGMA wal_checkpoint(${how})`);
    } finally {
      // On a full disk a part of it was written, too: that was nobody else.
      this.#lookedAt = statSync(this.file, { bigint: true });
    }
  }

  /** Runs statements as one transaction, durable when it returns. @throws StateError when its disk does not let it */
  transaction<T>(work: () => T): T {
    if (this.#inTransaction) return work();
    this.#inTransaction = true;
    try {
      this.#exec('BEGIN IMMEDIATE');
      const result = work();
      this.#exec('COMMIT');
      this.#commits += 1;
      return result;
    } catch (error) {
      for (const takeBack of this.#undo.toReversed()) takeBack();
      // SQLite itself has rolled back when the disk was full or failed.
      if (this.#isOpen && this.#db.isTransaction) this.#exec('ROLLBACK');
      throw error;
    } finally {
      this.#undo = [];
      this.#inTransaction = false;
      if (this.#commits >= LOOK_EVERY) {
        this.#commits = 0;
        this.lookForDamage();
      }
    }
  }

  /**
   * Takes back in memory what belongs to the transaction in hand, should that come to nothing: what is kept in
   * memory must not know better. It reads nothing, since the disk may be what failed.
   */
  onRollback(takeBack: () => void): void {
    if (this.#inTransaction) this.#undo.push(takeBack);
  }

  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** Hears of each time that its disk did not let it. */
  onFailure(hear: (error: unknown) => void): void {
    this.#onFailure.add(hear);
  }

  prepare(sql: string): Statement {
    return this.#guard(() => new Statement(this.#db.prepare(sql), (call) => this.#guard(call)));
  }

  meta(key: string): string | undefined {
    return this.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value'] as string | undefined;
  }

  setMeta(key: string, value: string | undefined): void {
    if (value === undefined) this.prepare('DELETE FROM meta WHERE key = ?').run(key);
    else this.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, value);
  }

  /** Grows with every change of this state: a copy that is put back later is known by its smaller number. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Called in the transaction that changes the state. */
  advance(): void {
    const before = this.#sequence;
    this.setMeta('sequence', String(before + 1));
    this.#sequence = before + 1;
    this.onRollback(() => (this.#sequence = before));
  }

  /** Ends it; once more does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#db.close();
  }

  #exec(sql: string): void {
    this.#guard(() => this.#db.exec(sql));
  }

  #guard<T>(call: () => T): T {
    // Whoever is late (a session that closes) meets what it would meet where the disk does not let it be written.
    if (!this.#isOpen) throw new StateError(`the state (${this.file}) is closed`);
    try {
      return call();
    } catch (error) {
      const failure = isDamage(error)
        ? new DamagedState(this.file, error instanceof Error ? error.message : String(error), {
            cause: error,
          })
        : asStateError(error, this.file);
      if (failure instanceof DamagedState) this.#hearDamage(failure);
      for (const hear of this.#onFailure) hear(failure);
      throw failure;
    }
  }

  #hearDamage(damage: DamagedState): void {
    if (!this.#damaged.signal.aborted) this.#damaged.abort(damage);
  }
}
