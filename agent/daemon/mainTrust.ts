import type { Database } from '#sync/state/database.ts';
import type { DeferredWriter } from '#sync/state/deferredWriter.ts';
import { StateMemory } from '#sync/state/peerState.ts';
import type { Welcome } from '../connection/reconnector.ts';

/** In the database: why nothing may be removed before a person confirms. */
const MISMATCH = 'strange';

/**
 * Whether Main's state is the one that this MDS knows. Where it is not (a new one, an older one from a backup), that
 * Main does not name a file proves nothing: no removal follows from it before a person confirms.
 *
 * A mismatch holds over connections and starts until no directory waits because of it: by then Main may know this
 * state again, which is no person's word.
 */
export class MainTrust {
  readonly #db: Database;
  readonly #keeper: DeferredWriter;
  readonly #memory: StateMemory;
  /** As it is written down. */
  #mismatch: string | undefined;
  #welcome: Welcome | undefined;
  #sequence = 0;

  constructor(db: Database, keeper: DeferredWriter) {
    this.#db = db;
    this.#keeper = keeper;
    this.#memory = new StateMemory(db, keeper, 'main');
    this.#mismatch = db.meta(MISMATCH);
  }

  /** Main said which state it has. @returns why removals are on hold, if so */
  judge(welcome: Welcome): string | undefined {
    this.#welcome = welcome;
    this.#sequence = welcome.main.sequence;
    this.#set(this.#mismatchOf(welcome) ?? this.#mismatch);
    return this.#mismatch;
  }

  /** Main's state has grown to this sequence. */
  hear(sequence: number): void {
    this.#sequence = Math.max(this.#sequence, sequence);
  }

  /** Every directory is settled with Main: its state is the known one from now on. @param now monotonic milliseconds */
  learn(now: number): void {
    if (this.#welcome === undefined) return;
    this.#set(undefined);
    this.#memory.learn(this.#welcome.main, this.#sequence, now);
  }

  /** Writes down what was learnt. @param now monotonic milliseconds */
  write(now: number): void {
    this.#memory.write(now);
  }

  #set(mismatch: string | undefined): void {
    if (mismatch === this.#mismatch) return;
    this.#mismatch = mismatch;
    this.#keeper.write(() => this.#db.setMeta(MISMATCH, mismatch));
  }

  #mismatchOf(welcome: Welcome): string | undefined {
    const found = this.#memory.mismatch(welcome.main);
    if (found === 'new') return "Main's state is new: its database was lost";
    if (found === 'older') return "Main's state is older than what this MDS has seen: a backup was restored";
    return welcome.additive ? "this MDS's state is not the one that Main knew" : undefined;
  }
}
