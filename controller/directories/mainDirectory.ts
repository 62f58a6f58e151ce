import type { ManifestItem, ManifestEntry } from '#protocol/messages/common.ts';
import type { FolderEntry } from '#protocol/entry.ts';
import { Applier } from '#sync/apply/applier.ts';
import type { Outcome } from '#core/changeSet.ts';
import type { DirectoryConfig } from '#host/config/directoryConfig.ts';
import { Folder } from '#host/fs/folder.ts';
import type { Owners } from '#host/fs/owners.ts';
import type { Logger } from '#host/log/logger.ts';
import { manifestEntry, Manifest } from '#core/manifest/manifest.ts';
import { entryOf, type PathState } from '#core/manifest/pathState.ts';
import { Excludes } from '#core/path/excludes.ts';
import { isOverride, parentOf, refusePath } from '#core/path/relative.ts';
import type { Changes } from '#sync/scan/pathIndex.ts';
import { ownershipOf } from '#sync/scan/inspect.ts';
import { Replica } from '#sync/scan/replica.ts';
import { type OnRead, type Verified, verifyReplica } from '#sync/scan/verify.ts';
import { POLLING, Watch } from '#sync/scan/watch.ts';
import type { Database } from '#sync/state/database.ts';
import { Journal } from '#sync/state/changeSetJournal.ts';
import { ScanIndexTable } from '#sync/state/scanIndex.ts';
import { Tombstones } from '#sync/state/tombstones.ts';
import type { Clock } from '#host/time/clock.ts';
import { DirectoryVersions } from '../versions/directoryVersions.ts';
import type { Versions } from '../versions/versions.ts';
import {
  type ListedTrash,
  listTrash,
  purgeTrash,
  restoreFromTrash,
  type TrashItem,
} from '#sync/trash/trash.ts';
import { DialplanCheck } from './dialplan/dialplanCheck.ts';
import { excludedDialplan } from './excludedDialplan.ts';
import { MtimeClocks } from './mtimeClocks.ts';
import { type Actor, type Origin, Originators } from './originators.ts';
import { SoundCheck } from './sound/soundCheck.ts';
import { TrashQuota } from './trashQuota.ts';
import { fstatSync } from 'node:fs';

/** How long after its settle time a change may come to be known, milliseconds. */
const RECENT = 2_000;

/** A step of Main's manifest of one directory. */
export type Revision = {
  readonly directory: string;
  readonly from: number;
  readonly revision: number;
  readonly held: string | null;
  readonly items: readonly ManifestItem[];
};

export type MainDirectoryOptions = {
  readonly config: DirectoryConfig;
  readonly path: string;
  readonly nested: ReadonlySet<string>;
  readonly db: Database;
  readonly owners: Owners;
  readonly clock: Clock;
  readonly reserve: number;
  /** Bytes from which on a file is large: see {@link Applier.resumableFrom}. */
  readonly largeFrom?: number | undefined;
  /** Where older versions are kept; undefined for a directory whose files are too large for that. */
  readonly versions: Versions | undefined;
  readonly log: Logger;
  readonly onRevision: (revision: Revision) => void;
  /** What --root puts before Asterisk's paths. */
  readonly root: string;
  /** Something that Asterisk won't take was saved on Main, or is mended. */
  readonly onFinding: (detail: string) => void;
};

/** One synchronised directory on Main: its replica, and the manifest for the agents. */
export class MainDirectory {
  readonly config: DirectoryConfig;
  readonly nested: ReadonlySet<string>;
  readonly excludes: Excludes;
  readonly replica: Replica;
  readonly applier: Applier;
  readonly tombstones: Tombstones;
  /** Whose clocks gave the recordings their times. */
  readonly mtimeClocks: MtimeClocks;
  readonly manifest = new Manifest();
  /** Who made the newest change of each path. */
  readonly originators = new Originators();
  /** What each MDS has put into the trash; undefined where nothing bounds that. */
  readonly trashShares: TrashQuota | undefined;
  revision = 0;
  /** Bytes that MDS are sending right now. */
  promised = 0;
  /** When the newest revision's change was made on disk, milliseconds since 1970. */
  changedAt: number;
  readonly #options: MainDirectoryOptions;
  readonly #watch: Watch;
  readonly #versions: DirectoryVersions | undefined;
  /** For what Main alone puts there for Asterisk to play. */
  readonly #sounds: SoundCheck | undefined;
  readonly #dialplan: DialplanCheck | undefined;
  #heldShown: string | null = null;
  /** Full readings under way. */
  #rescans = 0;

  constructor(options: MainDirectoryOptions) {
    this.#options = options;
    this.config = options.config;
    this.nested = options.nested;
    this.excludes = new Excludes(options.config.exclude);
    this.changedAt = options.clock.now();
    this.tombstones = new Tombstones(options.db, options.config.name, options.clock.now());
    this.mtimeClocks = new MtimeClocks(options.db, options.config.name);
    const onError = (error: unknown): void => options.log.error('directory could not be read', { error });
    this.replica = new Replica({
      name: options.config.name,
      path: options.path,
      nested: options.nested,
      settle: options.config.settleMs,
      emptyIsHeld: true,
      isExcluded: (path, isFolder) => this.excludes.patternFor(path, isFolder) !== undefined,
      whole: options.config.reload === 'dialplan',
      index: new ScanIndexTable(options.db, options.config.name),
      owners: options.owners,
      clock: options.clock,
      onChanges: (changes) => this.#onChanges(changes),
      onHeld: () => this.tellIfHeld(),
      onError,
    });
    const { versions, db, clock, log } = options;
    this.#versions =
      versions &&
      new DirectoryVersions({
        directory: options.config.name,
        replica: this.replica,
        versions,
        db,
        clock,
        log,
      });
    const holdsSounds = options.config.direction === 'to-mds' && options.config.reload !== 'dialplan';
    this.trashShares = options.config.maxBytes === undefined ? undefined : new TrashQuota(options.path, log);
    this.#sounds = holdsSounds ? new SoundCheck(this.replica, onError) : undefined;
    this.#dialplan = this.#dialplanCheck(onError);
    this.#watch = new Watch(this.replica, (error) => options.log.warn(POLLING, { error }));
    this.applier = new Applier({
      directory: options.config.name,
      path: options.path,
      journal: new Journal(options.db),
      clock: options.clock,
      reserve: options.reserve,
      resumableFrom: options.largeFrom,
      onPlaced: (placed) => this.replica.own.add(placed),
      onPlacedLost: (paths) => this.replica.own.lost(paths),
    });
  }

  get name(): string {
    return this.config.name;
  }

  /** How often a burst of events made Main read the whole directory again. */
  get watchOverflows(): number {
    return this.#watch.overflows;
  }

  /** Finishes what a crash cut off, reads the directory, and watches it. */
  async start(): Promise<void> {
    for (const path of this.replica.paths())
      this.manifest.set(path, this.#manifestEntry(path, this.replica.get(path)));
    for (const [path, entry] of this.tombstones.entries) {
      if (refusePath(path) === undefined) this.manifest.set(path, { kind: 'gone', tombstone: entry });
    }
    try {
      const outcomes = await this.applier.recover(() => undefined);
      if (outcomes.length > 0)
        this.#options.log.warn('finished a change set that was cut off', { steps: outcomes.length });
    } catch (error) {
      this.#options.log.error('directory is not ready', { error });
    }
    await this.rescan();
    this.originators.started();
    this.mtimeClocks.prune((path) => entryOf(this.replica.get(path)));
    this.#versions?.scanned();
    this.#sounds?.look(this.replica.paths());
    this.#dialplan?.look();
    this.tellIfHeld();
    await this.#watch.start(this.nested);
  }

  /** Scans the whole directory, for changes that the watch missed or that happened while it was not running. */
  async rescan(): Promise<void> {
    this.#rescans += 1;
    try {
      await this.replica.rescan();
    } finally {
      this.#rescans -= 1;
    }
  }

  async close(): Promise<void> {
    this.applier.close();
    await this.#watch.close();
    await this.replica.close();
    await this.#versions?.close();
    await this.#sounds?.close();
    this.#dialplan?.close();
  }

  /** What a person should know of single files on Main, by path: Asterisk can't play or won't take them, or reads what no MDS gets. */
  get warnings(): ReadonlyMap<string, string> {
    if (!this.#watch.isPolling) return this.#fileWarnings();
    // The directory itself.
    return new Map([['.', POLLING], ...this.#fileWarnings()]);
  }

  #fileWarnings(): ReadonlyMap<string, string> {
    if (this.config.reload !== 'dialplan') return this.#sounds?.warnings ?? new Map();
    const warnings = new Map(excludedDialplan(this.replica, this.excludes));
    for (const [path, reason] of this.#dialplan?.warnings ?? []) {
      const excluded = warnings.get(path);
      warnings.set(path, excluded === undefined ? reason : `${excluded}; ${reason}`);
    }
    return warnings;
  }

  #dialplanCheck(onError: (error: unknown) => void): DialplanCheck | undefined {
    const { config, path, log, root } = this.#options;
    if (config.reload !== 'dialplan' || config.lint === 'off') return undefined;
    return new DialplanCheck({
      place: { path, asteriskPath: config.path, root },
      travels: (each) => !isOverride(each) && this.excludes.patternFor(each, false) === undefined,
      onBegan: (each, reason) => {
        log.error('lint', { path: each, reason });
        this.#options.onFinding(`${each}: ${reason}`);
      },
      onEnded: (each) => {
        log.info('lint recovered', { path: each });
        this.#options.onFinding(`${each}: recovered`);
      },
      onError,
    });
  }

  /** Older versions of its files, where they are kept. */
  get versions(): Versions | undefined {
    return this.#options.versions;
  }

  /** Reads every byte again; what is not what it was taken for is read anew. */
  async verify(onRead: OnRead): Promise<Verified> {
    const verified = await verifyReplica(this.replica, onRead);
    this.replica.distrust(verified.wrong.keys());
    return verified;
  }

  trash(): ListedTrash {
    return listTrash(this.name, this.#options.path);
  }

  /** Brings an item of the trash back. @throws when it can't be */
  async restore(item: TrashItem, to: string, actor: Actor): Promise<void> {
    const { owners } = this.#options;
    const { applier, replica } = this;
    const outcomes = await restoreFromTrash(item, to, { applier, replica, owners, record: () => undefined });
    const failed = outcomes.find(({ result }) => result !== 'done');
    if (failed)
      throw new Error(`${to} could not be written (${failed.errno ?? 'it changed meanwhile'}): try again`);
    const [save = ''] = item.id.split('/');
    this.adopt(outcomes, { actor, save });
  }

  /**
   * Forgets that a path, or a folder above it, was removed here: what an MDS brings back there from its trash is new, not left over.
   */
  forgetRemoval(path: string): void {
    const items: ManifestItem[] = [];
    this.#options.db.transaction(() => {
      for (let at = path; at !== ''; at = parentOf(at)) {
        if (!this.tombstones.entries.has(at)) continue;
        this.tombstones.delete(at);
        items.push({ path: at, shown: { kind: 'gone' } });
      }
      if (items.length > 0) this.#options.db.advance();
    });
    for (const { path: at, shown } of items) this.manifest.set(at, shown);
    if (items.length > 0) this.#publish(items);
  }

  /** Takes over what a change set of our own has just put here, and tells everyone. @param origin who had it done, by which change set */
  adopt(outcomes: readonly Outcome[], origin: Origin): void {
    for (const { step, result, stamp } of outcomes) {
      if (result !== 'done' || step.kind === 'keep') continue;
      const removed = step.kind === 'remove' || stamp === undefined;
      this.replica.adopt(
        step.path,
        removed ? undefined : { state: { kind: 'settled', entry: step.entry }, stamp },
      );
    }
    this.replica.flush();
    const done = outcomes.flatMap(({ step, result }) => (result === 'done' ? [step.path] : []));
    this.originators.note(done, origin);
    // The watch may have been faster, and have published them before their clock was known.
    const items = outcomes.flatMap(({ step: { path } }): ManifestItem[] => {
      const shown = this.#manifestEntry(path, this.replica.get(path));
      return this.manifest.set(path, shown) ? [{ path, shown }] : [];
    });
    if (items.length > 0) this.#publish(items);
  }

  /** A path that no agent can use is skipped here, and named in status. */
  #manifestEntry(path: string, state: PathState | undefined): ManifestEntry {
    if (refusePath(path) !== undefined) return { kind: 'gone' };
    return manifestEntry(state, this.tombstones.entries.get(path), (entry) =>
      this.mtimeClocks.clockOf(path, entry),
    );
  }

  /** Removes for good what was in the trash for long enough. @param keep milliseconds */
  purge(keep: number): void {
    // A directory that is missing is held, and its trash is missing with it.
    if (this.replica.held !== undefined) return;
    const { clock, log } = this.#options;
    purgeTrash({ root: this.#options.path, keep, now: clock.now(), log });
    this.trashShares?.forget();
  }

  /** A hold that came or went is news, too. */
  tellIfHeld(): void {
    if ((this.replica.held ?? null) !== this.#heldShown) this.#publish([]);
  }

  /** How the directory itself looks, for an MDS that has to make it. */
  rootEntry(): FolderEntry | null {
    try {
      const folder = Folder.openRoot(this.#options.path);
      const stat = fstatSync(folder.fd, { bigint: true });
      folder.close();
      return {
        type: 'folder',
        mode: Number(stat.mode & 0o7777n),
        ...ownershipOf(stat, this.#options.owners),
      };
    } catch {
      // It is missing: then it is held, and no agent needs to know how it looks.
      return null;
    }
  }

  #onChanges(changes: Changes): void {
    const save = this.originators.found(
      changes,
      this.#rescans > 0 ? 'reconcile' : 'watcher',
      this.#options.clock.now(),
    );
    const entriesBefore = [...changes.keys()].map((path) => [path, this.manifest.get(path)] as const);
    let items: ManifestItem[];
    try {
      items = this.#options.db.transaction(() => this.#takeOver(changes, save));
    } catch (error) {
      // Not taken over, so not shown: the same changes come again.
      for (const [path, shown] of entriesBefore) this.manifest.set(path, shown ?? { kind: 'gone' });
      throw error;
    }
    if (items.length > 0) this.#publish(items);
    else this.tellIfHeld();
    this.#versions?.keep(changes.keys());
    this.#sounds?.look(changes.keys());
    this.#dialplan?.look();
  }

  /** Tombstones and what is shown follow what is on disk. */
  #takeOver(changes: Changes, save: string | undefined): ManifestItem[] {
    const items: ManifestItem[] = [];
    const { versions } = this;
    const newest = versions?.log.newest ?? 0;
    this.#versions?.note(changes);
    // By this id the save can be rolled back.
    if (versions !== undefined && save !== undefined && versions.log.newest > newest)
      versions.appliedRevisions.place(this.name, save, newest + 1);
    for (const [path, { before, after }] of changes) {
      if (this.config.direction === 'both') {
        if (after === undefined && before !== undefined)
          this.tombstones.set(path, before, this.#options.clock.now());
        else if (after !== undefined) this.tombstones.delete(path);
      }
      if (after === undefined) this.mtimeClocks.forget(path);
      const shown = this.#manifestEntry(path, after);
      if (this.manifest.set(path, shown)) items.push({ path, shown });
    }
    if (items.length > 0) this.#options.db.advance();
    return items;
  }

  #publish(items: readonly ManifestItem[]): void {
    const from = this.revision;
    this.revision += 1;
    this.changedAt = this.#changeTime(items);
    this.#heldShown = this.replica.held ?? null;
    this.#options.onRevision({
      directory: this.name,
      from,
      revision: this.revision,
      held: this.#heldShown,
      items,
    });
  }

  /**
   * The earliest change among the files: from then on the MDS lag. A removal leaves no time behind, and in a
   * renamed folder the files keep theirs: what is older than the settle time explains is not the change.
   */
  #changeTime(items: readonly ManifestItem[]): number {
    const now = this.#options.clock.now();
    const oldest = now - this.config.settleMs - RECENT;
    let earliest = now;
    for (const { path } of items) {
      const ctime = this.replica.stampAt(path)?.split(':')[4];
      const time = ctime === undefined ? now : Number(BigInt(ctime) / 1000n) / 1000;
      if (time >= oldest) earliest = Math.min(earliest, time);
    }
    return earliest;
  }
}
