import type { Owners } from '#host/fs/owners.ts';
import type { Database } from '#sync/state/database.ts';
import type { Ledger } from '#sync/state/ledger.ts';
import type { DirectoryEvents } from '../directoryEvents.ts';
import type { MainManifest } from './mainManifest.ts';

/**
 * Rebuilds a copy of Main's manifest after a start, from the ledger, so that Main has to send only what differs. What comes
 * of it is a guess: Main compares its digests, and the digest of the whole decides in the end.
 */
export class ManifestMemory {
  readonly #mainManifest: MainManifest;
  readonly #ledger: Ledger;
  readonly #owners: Owners;
  readonly #db: Database;
  readonly #events: DirectoryEvents;
  readonly #key: string;
  /** Owners of Main that are stored. */
  #stored = 0;

  constructor(
    directory: string,
    mainManifest: MainManifest,
    ledger: Ledger,
    state: { readonly db: Database; readonly owners: Owners; readonly events: DirectoryEvents },
  ) {
    this.#mainManifest = mainManifest;
    this.#ledger = ledger;
    this.#owners = state.owners;
    this.#db = state.db;
    this.#events = state.events;
    this.#key = `main-owners:${directory}`;
  }

  /** Fills an empty copy. */
  restore(): void {
    const mainManifest = this.#mainManifest;
    if (mainManifest.size > 0 || this.#ledger.entries.size === 0) return;
    const { mainOwners } = mainManifest;
    const stored = this.#db.meta(this.#key);
    if (stored !== undefined) mainOwners.read(this.#db.readJson(stored));
    this.#stored = mainOwners.size;
    const mains = mainOwners.restorer(this.#owners);
    for (const [path, entry] of this.#ledger.entries)
      mainManifest.restore(path, { kind: 'settled', entry: mains(entry) });
  }

  /** Stores what the next start needs beside the ledger. */
  save(): void {
    const { mainOwners } = this.#mainManifest;
    if (mainOwners.size === this.#stored) return;
    this.#stored = mainOwners.size;
    this.#events.remember(() => this.#db.setMeta(this.#key, mainOwners.text));
  }
}
