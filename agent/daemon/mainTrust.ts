import type { Database } from '#sync/state/database.ts';
import type { DeferredWriter } from '#sync/state/deferredWriter.ts';
import { StateMemory } from '#sync/state/peerState.ts';
import type { Welcome } from '../connection/reconnector.ts';

/** Database key: the reason why removals are on hold. */
const MISMATCH = 'strange';

/**
 * Detects a mismatch of Main's state: a new one, or an older one from a backup. A file that is missing from Main's
 * manifest then proves no removal, so removals are on hold until a person confirms.
 * A mismatch lasts over connections and starts until no directory waits because of it. Main may report a known state
 * again before that, but this is no confirmation.
 */
export class MainTrust {
  readonly #db: Database;
  readonly #keeper: DeferredWriter;
  readonly #memory: StateMemory;
  /** As stored in the database. */
  #mismatch: string | undefined;
  #welcome: Welcome | undefined;
  #sequence = 0;

  constructor(db: Database, keeper: DeferredWriter) {
    this.#db = db;
    this.#keeper = keeper;
    this.#memory = new StateMemory(db, keeper, 'main');
    this.#mismatch = db.meta(MISMATCH);
  }

  /** Called with the state that Main reported. @returns the reason why removals are on hold, if they are */
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

  /** Every directory is in sync with Main: accepts its state. @param now monotonic milliseconds */
  learn(now: number): void {
    if (this.#welcome === undefined) return;
    this.#set(undefined);
    this.#memory.learn(this.#welcome.main, this.#sequence, now);
  }

  /** Stores the new state. @param now monotonic milliseconds */
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
