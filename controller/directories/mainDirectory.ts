import { fstatSync } from 'node:fs';
import { MAX_MANIFEST_ENTRIES } from '#protocol/limits.ts';
import type { FolderEntry } from '#protocol/entry.ts';
import type { Outcome } from '#core/changeSet.ts';
import type { Manifest } from '#core/manifest/manifest.ts';
import { Excludes } from '#core/path/excludes.ts';
import { mayRenameFolders } from '#core/plan/policy.ts';
import type { DirectoryConfig } from '#host/config/directoryConfig.ts';
import { Folder } from '#host/fs/folder.ts';
import type { Applier } from '#sync/apply/applier.ts';
import type { DirectoryPlace } from '#sync/directory/directoryPlace.ts';
import type { DirectorySide } from '#sync/directory/directorySide.ts';
import { SyncDirectory } from '#sync/directory/syncDirectory.ts';
import { ownershipOf } from '#sync/scan/inspect.ts';
import type { Changes } from '#sync/scan/pathIndex.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { OnRead, Verified } from '#sync/scan/verify.ts';
import { ChunkListTable } from '#sync/state/chunkListTable.ts';
import { POLLING } from '#sync/watch/watch.ts';
import type { ArchiveParts } from '#sync/transfer/packing/archiveParts.ts';
import { type ListedTrash, placeInTrash, type TrashItem } from '#sync/trash/trash.ts';
import { DirectoryVersions } from '../versions/directoryVersions.ts';
import type { Versions } from '../versions/versions.ts';
import { FileWarnings } from './fileWarnings.ts';
import type { MtimeClocks } from './mtimeClocks.ts';
import type { Actor, Origin, Originators } from './originators.ts';
import { Publication, type Revision } from './publication.ts';
import { TrashQuota } from './trashQuota.ts';

/** From so many files on, an MDS that renames the folder at once saves more than the message costs. */
const WORTHWHILE = 20;

/** A folder that has another path now; the changes of its files are still to be published. */
export type FolderRename = { readonly directory: string; readonly from: string; readonly to: string };

export type MainDirectoryOptions = {
  readonly config: DirectoryConfig;
  readonly place: DirectoryPlace;
  /** Where older versions are kept; undefined for a directory whose files are too large for that. */
  readonly versions: Versions | undefined;
  /** Parts of archives that several MDS request. */
  readonly archiveParts: ArchiveParts;
  /** The prefix of Asterisk's paths (--root). */
  readonly root: string;
  readonly onRevision: (revision: Revision) => void;
  readonly onFolderRenamed: (renamed: FolderRename) => void;
  /** Called when a lint finding in Main's own files appears or is gone. */
  readonly onFinding: (detail: string) => void;
};

/** One synchronised directory on Main: what is on its disk, and the manifest for the agents. */
export class MainDirectory implements DirectorySide {
  readonly config: DirectoryConfig;
  readonly nested: ReadonlySet<string>;
  readonly excludes: Excludes;
  readonly replica: Replica;
  readonly applier: Applier;
  readonly manifest: Manifest;
  /** The clock error of each recording's mtime. */
  readonly mtimeClocks: MtimeClocks;
  /** The originator of the newest change of each path. */
  readonly originators: Originators;
  /** The share of the trash that each MDS has filled; undefined without a limit. */
  readonly trashShares: TrashQuota | undefined;
  /** The store of older versions, if they are kept. */
  readonly versions: Versions | undefined;
  /** What several MDS request at the same time. */
  readonly archiveParts: ArchiveParts;
  /** Bytes that MDS are uploading now. */
  promised = 0;
  readonly #place: DirectoryPlace;
  readonly #sync: SyncDirectory;
  readonly #publication: Publication;
  readonly #versions: DirectoryVersions | undefined;
  readonly #warnings: FileWarnings;
  readonly #onFolderRenamed: MainDirectoryOptions['onFolderRenamed'];

  constructor(options: MainDirectoryOptions) {
    const { config, place, versions, archiveParts, root, onRevision, onFinding } = options;
    this.#onFolderRenamed = options.onFolderRenamed;
    this.#place = place;
    this.archiveParts = archiveParts;
    this.config = config;
    this.versions = versions;
    this.nested = place.nested;
    this.excludes = new Excludes(config.exclude);
    const rules = {
      name: config.name,
      settle: config.settleMs,
      emptyIsHeld: true,
      whole: config.reload === 'dialplan',
    };
    this.#sync = new SyncDirectory(place, rules, this);
    const { replica, applier, onUnread } = this.#sync;
    this.replica = replica;
    this.applier = applier;
    const { db, clock, log } = place;
    const { excludes } = this;
    replica.contents.listAll(new ChunkListTable(db, config.name));
    this.#versions =
      versions && new DirectoryVersions({ directory: config.name, replica, versions, db, clock, log });
    this.#publication = new Publication({ config, replica, db, clock, versions: this.#versions, onRevision });
    this.manifest = this.#publication.manifest;
    this.mtimeClocks = this.#publication.mtimeClocks;
    this.originators = this.#publication.originators;
    this.trashShares = config.maxBytes === undefined ? undefined : new TrashQuota(place.path, log);
    this.#warnings = new FileWarnings({ config, replica, excludes, root, clock, log, onFinding, onUnread });
  }

  get name(): string {
    return this.config.name;
  }

  get revision(): number {
    return this.#publication.revision;
  }

  /** True when it has more paths than an agent takes. */
  get isTooLarge(): boolean {
    return this.manifest.size > MAX_MANIFEST_ENTRIES;
  }

  /** When the newest revision's change was made on disk, milliseconds since 1970. */
  get changedAt(): number {
    return this.#publication.changedAt;
  }

  /** Number of bursts of events after which the whole directory was scanned. */
  get watchOverflows(): number {
    return this.#sync.watchOverflows;
  }

  /** Warnings by path: files that Asterisk can't play or won't accept, or that it reads although no MDS gets them. */
  get warnings(): ReadonlyMap<string, string> {
    if (!this.#sync.isPolling) return this.#warnings.all;
    // The directory itself.
    return new Map([['.', POLLING], ...this.#warnings.all]);
  }

  /** Completes interrupted change sets, scans the directory, and watches it. */
  async start(): Promise<void> {
    this.#publication.restore();
    await this.#sync.start();
  }

  async close(): Promise<void> {
    this.archiveParts.clear();
    await this.#sync.close();
    await this.#versions?.close();
    await this.#warnings.close();
  }

  /** Scans the whole directory and waits until what is being written has settled. */
  readAgain(): Promise<void> {
    return this.#sync.readAgain();
  }

  /** Reads every file again; entries that differ from their record are rescanned. */
  verify(onRead: OnRead, signal: AbortSignal): Promise<Verified> {
    return this.#sync.verify(onRead, signal);
  }

  /** @throws that the directory is being closed */
  trash(): Promise<ListedTrash> {
    return this.#sync.trash();
  }

  /** Restores an item of the trash. @throws when that is not possible */
  async restore(item: TrashItem, to: string, actor: Actor): Promise<void> {
    const outcomes = await this.#sync.restore(item, to);
    const { changeSet: save } = placeInTrash(item.id);
    this.adopt(outcomes, { actor, save });
  }

  /** Deletes expired items from the trash. @param keep milliseconds */
  async purge(keep: number): Promise<void> {
    if (await this.#sync.purge(keep)) this.trashShares?.forget();
  }

  /**
   * Records the result of a change set of this program, and announces it. @param origin the originator and the change
   * set
   */
  adopt(outcomes: readonly Outcome[], origin: Origin): void {
    this.#publication.adopt(outcomes, origin, () => this.#sync.adopt(outcomes));
  }

  /** Removes the tombstone of this path: a file that an MDS restores there from its trash is new. */
  forgetRemoval(path: string): void {
    this.#publication.forgetRemoval(path);
  }

  /** A hold that begins or ends is reported, too. */
  publishHold(): void {
    this.#publication.publishHold();
  }

  /** The entry of the directory itself, for an MDS that has to create it. */
  rootEntry(): FolderEntry | null {
    try {
      const folder = Folder.openRoot(this.#place.path);
      const stat = fstatSync(folder.fd, { bigint: true });
      folder.close();
      return {
        type: 'folder',
        mode: Number(stat.mode & 0o7777n),
        ...ownershipOf(stat, this.#place.owners),
      };
    } catch {
      // It is missing, and therefore on hold: no agent needs its entry.
      return null;
    }
  }

  /** An MDS is sent content until this is disposed of: copies of older versions wait for it. */
  delivering(): Disposable | undefined {
    return this.#versions?.delivering();
  }

  isExcluded(path: string, isFolder: boolean): boolean {
    return this.excludes.patternFor(path, isFolder) !== undefined;
  }

  takeChanges(changes: Changes, continues: boolean): void {
    this.#publication.take(changes, this.#sync.isRescanning ? 'reconcile' : 'watcher', continues);
    this.#versions?.keep(changes.keys());
    this.#warnings.look(changes.keys());
  }

  /** What travels both ways, is never removed or is read as a whole by Asterisk, changes file by file. */
  folderRenamed(from: string, to: string): void {
    if (!mayRenameFolders(this.config) || this.replica.childrenOf(from).size < WORTHWHILE) return;
    this.#onFolderRenamed({ directory: this.name, from, to });
  }

  holdChanged(): void {
    this.#publication.publishHold();
  }

  /** Main's own Asterisk reads its dialplan only at a reload. */
  withLease<T>(show: () => T): Promise<T> {
    return Promise.resolve(show());
  }

  /** The result of a change set is on Main's disk, where the scan finds it. */
  recordRecovered(): void {}

  recovered(): void {}

  scanned(): void {
    this.#publication.scanned();
    this.#versions?.scanned();
    this.#warnings.look(this.replica.paths());
    this.#publication.publishHold();
  }

  /** Offers and rollbacks have ended with their sessions and commands. */
  async endWork(): Promise<void> {}
}
