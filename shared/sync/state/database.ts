import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { randomBytes, randomUUID } from 'node:crypto';
import * as z from 'zod';
import { interpreted } from '#protocol/interpreted.ts';
import { asStateError, DamagedState, StateError } from './stateError.ts';
import { isDamage, openStateFile, WAL } from './stateFile.ts';
import { Statement } from './statement.ts';

const runsSchema = z.array(z.object({ id: z.string().max(64), from: z.int().min(0) }));

/** One run of the program on a state. */
export type Run = Readonly<z.infer<typeof runsSchema>[number]>;

/** Runs kept. A side that missed more runs of the other one than this takes its state for an older copy. */
const MAX_RUNS = 256;

/** Size of the WAL from which on it is checkpointed, bytes (SQLite's own default, 1,000 pages). */
const WRITE_BACK = 4_096_000;
/** Transactions between two checks of the WAL's size. */
const LOOK_EVERY = 64;

/** The state database of one side. It can be rebuilt from disk, so losing it loses no file. */
export class Database {
  readonly file: string;
  /** Identifies this database; a new one gets another id. */
  readonly stateId: string;
  /**
   * The runs of the program on this state, oldest first, each with the sequence at its start. A copy that is restored lacks
   * the later runs, by which it is recognised even after further changes.
   */
  readonly runs: readonly Run[];
  readonly #db: DatabaseSync;
  readonly #damaged = new AbortController();
  readonly #onFailure = new Set<(error: unknown) => void>();
  #inTransaction = false;
  /** Undo functions for changes in memory of the current transaction, oldest first. */
  #undo: (() => void)[] = [];
  #sequence: number;
  // Every change of the state writes its sequence.
  #readMeta: Statement | undefined;
  #writeMeta: Statement | undefined;
  #isOpen = true;
  #commits = 0;
  #lookedAt: { readonly ino: bigint; readonly size: bigint; readonly mtimeNs: bigint };

  /**
   * Opens or creates it.
   * @throws StateError on an error of its disk; DamagedState when the file is corrupt; an error when a newer version of the
   *   program wrote it
   */
  constructor(file: string) {
    this.file = file;
    this.#db = this.#guard(() => openStateFile(file));
    try {
      this.#sequence = Number(this.meta('sequence') ?? 0);
      if (!Number.isSafeInteger(this.#sequence)) throw this.damagedBy('its sequence is not a number');
      const known = this.meta('state-id');
      this.stateId = known ?? randomUUID();
      const run = { id: randomBytes(8).toString('hex'), from: this.#sequence };
      const runs = runsSchema.safeParse(this.readJson(this.meta('runs') ?? '[]'), interpreted());
      if (!runs.success) throw this.damagedBy('its runs are invalid');
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

  /** Aborted, with a {@link DamagedState} as reason, once the state is found to be damaged. */
  get damaged(): AbortSignal {
    return this.#damaged.signal;
  }

  /** Resolves once the state is found to be damaged. */
  whenDamaged(): Promise<void> {
    return new Promise((resolve) => {
      if (this.damaged.aborted) resolve();
      else this.damaged.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Marks the state as damaged. @returns the error to throw */
  damagedBy(found: string): DamagedState {
    const damage = new DamagedState(this.file, found);
    this.#hearDamage(damage);
    return damage;
  }

  /** Parses JSON that this program has stored. @throws DamagedState when it is not valid JSON any more */
  readJson(text: unknown): unknown {
    try {
      return JSON.parse(String(text));
    } catch (error) {
      throw this.damagedBy(error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * Detects that another program wrote into the file or replaced it, which SQLite notices late or never, since it works
   * with its cache and the WAL. Then checkpoints the WAL.
   *
   * RACE: another program replaces the file between two checks, which are 5 s apart. Worst case: up to 5 s of changes go
   * to the replaced file; then a new state is built from disk, and removals are on hold until `confirm`.
   */
  lookForDamage(): void {
    if (!this.#isOpen || this.#inTransaction || this.damaged.aborted) return;
    try {
      const now = statSync(this.file, { bigint: true, throwIfNoEntry: false });
      const { ino, size, mtimeNs } = this.#lookedAt;
      if (now === undefined) this.damagedBy('the file is gone');
      else if (now.ino !== ino) this.damagedBy('another file has taken its place');
      else if (now.size !== size || now.mtimeNs !== mtimeNs) this.damagedBy('another program wrote to it');
      else this.#writeBack();
    } catch {
      // An error of the disk here is reported by the next statement.
    }
  }

  /** Checkpoints the WAL when it is large. @throws StateError */
  #writeBack(): void {
    const waits = statSync(this.file + WAL, { throwIfNoEntry: false })?.size ?? 0;
    if (waits >= WRITE_BACK) this.#checkpoint('PASSIVE');
  }

  /** Checkpoints the whole WAL and truncates it. @throws StateError */
  writeBackAll(): void {
    this.#checkpoint('TRUNCATE');
  }

  #checkpoint(how: 'PASSIVE' | 'TRUNCATE'): void {
    try {
      this.#exec(`PRAGMA wal_checkpoint(${how})`);
    } finally {
      // A failed checkpoint on a full disk has changed the file, too; that is not a foreign write.
      this.#lookedAt = statSync(this.file, { bigint: true });
    }
  }

  /** Runs statements as one transaction, durable when it returns. @throws StateError on an error of its disk */
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
      // SQLite has already rolled back when the disk was full or failed.
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
   * Registers an undo for a change in memory that belongs to the current transaction, so that memory never differs from
   * the database. The undo must not read the database, since its disk may have failed.
   */
  onRollback(takeBack: () => void): void {
    if (this.#inTransaction) this.#undo.push(takeBack);
  }

  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** Called for each error of the disk. */
  onFailure(hear: (error: unknown) => void): void {
    this.#onFailure.add(hear);
  }

  prepare(sql: string): Statement {
    return this.#guard(() => new Statement(this.#db.prepare(sql), (call) => this.#guard(call)));
  }

  meta(key: string): string | undefined {
    this.#readMeta ??= this.prepare('SELECT value FROM meta WHERE key = ?');
    const value = this.#readMeta.get(key)?.['value'];
    return value === undefined || value === null ? undefined : String(value);
  }

  setMeta(key: string, value: string | undefined): void {
    if (value === undefined) this.prepare('DELETE FROM meta WHERE key = ?').run(key);
    else {
      this.#writeMeta ??= this.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)');
      this.#writeMeta.run(key, value);
    }
  }

  /** Grows with every change of this state, so that a restored copy is recognised by its smaller number. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Increments it; called in the transaction that changes the state. */
  advance(): void {
    const before = this.#sequence;
    this.setMeta('sequence', String(before + 1));
    this.#sequence = before + 1;
    this.onRollback(() => (this.#sequence = before));
  }

  /** Closes it; idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#db.close();
  }

  #exec(sql: string): void {
    this.#guard(() => this.#db.exec(sql));
  }

  #guard<T>(call: () => T): T {
    // A late caller, such as a closing session, gets the same error as for a failed disk.
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
