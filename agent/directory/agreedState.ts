import type { Entry } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { isBelow } from '#core/path/relative.ts';
import type { ReadonlyDecisions } from '#core/plan/decisions.ts';
import { lastKnownEntry } from '#sync/scan/pathIndex.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { Ledger } from '#sync/state/ledger.ts';
import type { Database } from '#sync/state/database.ts';
import type { MainManifest } from './manifest/mainManifest.ts';
import { Counts } from './counts.ts';

/** The ledger with the counters derived from it, which change together. */
export class AgreedState {
  readonly ledger: Ledger;
  readonly counts = new Counts();
  readonly #db: Database;
  readonly #mainManifest: MainManifest;
  readonly #replica: Replica;

  constructor(ledger: Ledger, db: Database, mainManifest: MainManifest, replica: Replica) {
    this.#db = db;
    this.ledger = ledger;
    this.#mainManifest = mainManifest;
    this.#replica = replica;
  }

  /** Counts a path again after a change here or on Main. */
  count(path: string): void {
    const delivered = this.ledger.entries.has(path) || entryOf(this.#mainManifest.get(path)) !== undefined;
    this.counts.count(path, lastKnownEntry(this.#replica.get(path)), delivered);
  }

  /** Records that both sides have this entry (undefined: none). Called inside a transaction. */
  agree(path: string, entry: Entry | undefined): void {
    // Without a folder nothing is below it: an old ledger entry there must not count as a removal later. A folder
    // that stays because of local files is only dropped itself; delivered files in it may still have to be removed.
    const isThere = entry === undefined && entryOf(this.#replica.get(path))?.type === 'folder';
    if (!isThere && entry?.type !== 'folder' && this.ledger.entries.get(path)?.type === 'folder') {
      for (const below of [...this.ledger.entries.keys()]) {
        if (isBelow(below, path)) this.agree(below, undefined);
      }
    }
    if (entry === undefined) this.ledger.delete(path);
    else this.ledger.set(path, entry);
    this.count(path);
  }

  /** Records what a plan found about these paths: the entries that both sides hold, or that neither does. */
  learn(paths: readonly string[], decisions: Pick<ReadonlyDecisions, 'get'>): void {
    if (paths.length === 0) return;
    this.#db.transaction(() => {
      for (const path of paths) {
        const decision = decisions.get(path);
        this.agree(path, decision?.kind === 'agree' ? decision.entry : undefined);
      }
    });
  }
}
