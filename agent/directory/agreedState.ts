import type { Entry } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { isBelow } from '#core/path/relative.ts';
import { lastKnownEntry } from '#sync/scan/pathIndex.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { Ledger } from '#sync/state/ledger.ts';
import type { Database } from '#sync/state/database.ts';
import type { MainManifest } from './mainManifest.ts';
import { Counts } from './counts.ts';

/** What Main and this MDS agreed on, and what is counted of it: the two change together. */
export class AgreedState {
  readonly ledger: Ledger;
  readonly tally = new Counts();
  readonly #db: Database;
  readonly #mainView: MainManifest;
  readonly #replica: Replica;

  constructor(ledger: Ledger, db: Database, mainView: MainManifest, replica: Replica) {
    this.#db = db;
    this.ledger = ledger;
    this.#mainView = mainView;
    this.#replica = replica;
  }

  /** Counts a path anew: it changed here or on Main. */
  count(path: string): void {
    const delivered = this.ledger.entries.has(path) || entryOf(this.#mainView.get(path)) !== undefined;
    this.tally.count(path, lastKnownEntry(this.#replica.get(path)), delivered);
  }

  /** Both sides hold this now (undefined: nothing). Called inside a transaction. */
  agree(path: string, entry: Entry | undefined): void {
    // Where there is no folder, nothing is below it: an old word about that must not pass for a removal later. A folder
    // that stays for what is local in it is only forgotten itself: what else is in it may still have to go.
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

  /** Takes over what a plan found both sides to hold already. */
  learn(learnt: ReadonlyMap<string, Entry | undefined>): void {
    if (learnt.size === 0) return;
    this.#db.transaction(() => learnt.forEach((entry, path) => this.agree(path, entry)));
  }
}
