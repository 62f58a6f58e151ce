import type { ManifestItem, ManifestEntry } from '#protocol/messages/common.ts';
import type { Outcome } from '#core/changeSet.ts';
import { manifestEntry, Manifest } from '#core/manifest/manifest.ts';
import { entryOf, type PathState } from '#core/manifest/pathState.ts';
import { parentOf, refusePath } from '#core/path/relative.ts';
import type { DirectoryConfig } from '#host/config/directoryConfig.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Changes } from '#sync/scan/pathIndex.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { Database } from '#sync/state/database.ts';
import { Tombstones } from '#sync/state/tombstones.ts';
import type { DirectoryVersions } from '../versions/directoryVersions.ts';
import { MtimeClocks } from './mtimeClocks.ts';
import { type Origin, Originators } from './originators.ts';

/** How long after its settle time a change may be noticed, milliseconds. */
const RECENT = 2_000;

/** A step of Main's manifest of one directory. */
export type Revision = {
  readonly directory: string;
  readonly from: number;
  readonly revision: number;
  readonly held: string | null;
  readonly items: readonly ManifestItem[];
};

export type PublicationOptions = {
  readonly config: DirectoryConfig;
  readonly replica: Replica;
  readonly db: Database;
  readonly clock: Clock;
  /** The log of changes for rollback; undefined when older versions are not kept. */
  readonly versions: DirectoryVersions | undefined;
  readonly onRevision: (revision: Revision) => void;
};

/** The publication of one directory to the agents: its manifest, revision by revision. */
export class Publication {
  readonly manifest = new Manifest();
  readonly tombstones: Tombstones;
  /** The clock error of each recording's mtime. */
  readonly mtimeClocks: MtimeClocks;
  /** The originator of the newest change of each path. */
  readonly originators = new Originators();
  revision = 0;
  /** When the newest revision's change was made on disk, milliseconds since 1970. */
  changedAt: number;
  readonly #options: PublicationOptions;
  /** The paths of this program's own change set that is being recorded. */
  #adopting: ReadonlySet<string> | undefined;
  /** True when nothing was known of the directory at the start. */
  #isNew = false;
  /** The hold in the newest revision. */
  #heldPublished: string | null = null;

  constructor(options: PublicationOptions) {
    this.#options = options;
    const { config, db, clock } = options;
    this.changedAt = clock.now();
    this.tombstones = new Tombstones(db, config.name, clock.now());
    this.mtimeClocks = new MtimeClocks(db, config.name);
  }

  /** Fills the manifest from the state, before the disk is read. */
  restore(): void {
    const { replica } = this.#options;
    const [known] = replica.paths();
    this.#isNew = known === undefined;
    for (const path of replica.paths()) this.manifest.set(path, this.#entryFor(path, replica.get(path)));
    for (const [path, entry] of this.tombstones.entries) {
      if (refusePath(path) === undefined) this.manifest.set(path, { kind: 'gone', tombstone: entry });
    }
  }

  /** Called after the first scan since the start. */
  scanned(): void {
    this.originators.started(this.#isNew);
    this.mtimeClocks.prune((path) => entryOf(this.#options.replica.get(path)));
  }

  /**
   * Records and publishes the findings of a scan.
   * @param continues true when they belong to the save of the findings before
   * @throws when the state can't be written; then nothing is published, and the same changes are found again
   */
  take(changes: Changes, foundBy: 'reconcile' | 'watcher', continues = false): void {
    const adopting = this.#adopting;
    // The save of this program's own change is known.
    const found =
      adopting === undefined ? changes : new Map([...changes].filter(([path]) => !adopting.has(path)));
    const save = this.originators.found(found, foundBy, this.#options.clock.now(), continues);
    const items: ManifestItem[] = [];
    /** What the manifest had in place of each item. */
    const before: (ManifestEntry | undefined)[] = [];
    try {
      this.#options.db.transaction(() => this.#takeOver(changes, save, items, before));
    } catch (error) {
      items.forEach(({ path }, at) => this.manifest.set(path, before[at] ?? { kind: 'gone' }));
      throw error;
    }
    if (items.length > 0) this.#publish(items);
    else this.publishHold();
  }

  /**
   * Publishes the result of a change set of this program.
   * @param origin the originator and the change set
   * @param record enters it into the replica, which reports it to {@link take}
   */
  adopt(outcomes: readonly Outcome[], origin: Origin, record: () => void): void {
    const done = outcomes.flatMap(({ step, result }) => (result === 'done' ? [step.path] : []));
    // Before publication, so that every MDS gets the right save.
    this.originators.note(done, origin);
    this.#adopting = new Set(done);
    try {
      record();
    } finally {
      this.#adopting = undefined;
    }
    // The watcher may have published them earlier, before their clock error was known.
    const items = outcomes.flatMap(({ step: { path } }): ManifestItem[] => {
      const shown = this.#entryFor(path, this.#options.replica.get(path));
      return this.manifest.set(path, shown) ? [{ path, shown }] : [];
    });
    if (items.length > 0) this.#publish(items);
  }

  /**
   * Removes the tombstone of a path or of a folder above it: a file that an MDS restores there from its trash is new.
   */
  forgetRemoval(path: string): void {
    const items: ManifestItem[] = [];
    const { db } = this.#options;
    db.transaction(() => {
      for (let at = path; at !== ''; at = parentOf(at)) {
        if (!this.tombstones.entries.has(at)) continue;
        this.tombstones.delete(at);
        items.push({ path: at, shown: { kind: 'gone' } });
      }
      if (items.length > 0) db.advance();
    });
    for (const { path: at, shown } of items) this.manifest.set(at, shown);
    if (items.length > 0) this.#publish(items);
  }

  /** A hold that begins or ends is a revision, too. */
  publishHold(): void {
    if ((this.#options.replica.held ?? null) !== this.#heldPublished) this.#publish([]);
  }

  /** A path that no agent can use is skipped here, and listed in status. */
  #entryFor(path: string, state: PathState | undefined): ManifestEntry {
    if (refusePath(path) !== undefined) return { kind: 'gone' };
    return manifestEntry(state, this.tombstones.entries.get(path), (entry) =>
      this.mtimeClocks.clockOf(path, entry),
    );
  }

  /**
   * Updates tombstones and manifest from the disk.
   * @param items the changed entries are added here
   * @param before what the manifest had in place of each
   */
  #takeOver(
    changes: Changes,
    save: string | undefined,
    items: ManifestItem[],
    before: (ManifestEntry | undefined)[],
  ): void {
    const { versions, config, clock, db } = this.#options;
    versions?.note(changes, save);
    for (const [path, { before: entryBefore, after }] of changes) {
      if (config.direction === 'both') {
        if (after === undefined && entryBefore !== undefined)
          this.tombstones.set(path, entryBefore, clock.now());
        else if (after !== undefined) this.tombstones.delete(path);
      }
      if (after === undefined) this.mtimeClocks.forget(path);
      const shown = this.#entryFor(path, after);
      const shownBefore = this.manifest.get(path);
      if (!this.manifest.set(path, shown)) continue;
      items.push({ path, shown });
      before.push(shownBefore);
    }
    if (items.length > 0) db.advance();
  }

  #publish(items: readonly ManifestItem[]): void {
    const from = this.revision;
    this.revision += 1;
    this.changedAt = this.#changeTime(items);
    const { config, replica, onRevision } = this.#options;
    const held = replica.held ?? null;
    this.#heldPublished = held;
    onRevision({ directory: config.name, from, revision: this.revision, held, items });
  }

  /**
   * The time of the earliest change among the files, from which on the MDS are behind. A removal leaves no time behind,
   * and files in a renamed folder keep theirs: an mtime older than the settle time explains is not the time of the
   * change.
   */
  #changeTime(items: readonly ManifestItem[]): number {
    const { config, clock, replica } = this.#options;
    const now = clock.now();
    const oldest = now - config.settleMs - RECENT;
    let earliest = now;
    for (const { path } of items) {
      const ctime = replica.stampAt(path)?.split(':')[4];
      const time = ctime === undefined ? now : Number(BigInt(ctime) / 1000n) / 1000;
      if (time >= oldest) earliest = Math.min(earliest, time);
    }
    return earliest;
  }
}
