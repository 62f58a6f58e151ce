import type { Outcome } from '#core/changeSet.ts';
import type { Logger } from '#host/log/logger.ts';
import { Applier } from '../apply/applier.ts';
import { Replica } from '../scan/replica.ts';
import type { DirectoryRules } from '../scan/replicaOptions.ts';
import { type OnRead, type Verified, verifyReplica } from '../scan/verify.ts';
import { Journal } from '../state/changeSetJournal.ts';
import { ScanIndexTable } from '../state/scanIndex.ts';
import { inSlices } from '#host/time/timeSlice.ts';
import { purgeTrash } from '../trash/purge.ts';
import { type ListedTrash, listTrash, restoreFromTrash, type TrashItem } from '../trash/trash.ts';
import { POLLING, Watch } from '../watch/watch.ts';
import type { DirectoryPlace } from './directoryPlace.ts';
import type { DirectorySide } from './directorySide.ts';

/** How much longer than its settle time to wait for a changed file, milliseconds. */
export const QUIET_EXTRA = 1_500;

/**
 * One synchronised directory on one host, common to Main and an MDS: completes interrupted change sets, scans and
 * watches the directory, applies change sets, and manages the trash. The {@link DirectorySide} provides the
 * differences.
 */
export class SyncDirectory {
  readonly name: string;
  readonly replica: Replica;
  readonly applier: Applier;
  readonly #place: DirectoryPlace;
  readonly #rules: DirectoryRules;
  readonly #side: DirectorySide;
  readonly #watch: Watch;
  /** Number of scans in progress. */
  #rescans = 0;
  #started: Promise<void> = Promise.resolve();
  #isClosing = false;
  /** No item of the trash is older than this, milliseconds since 1970. */
  #oldestInTrash = 0;
  #purging: Promise<void> | undefined;

  /** Reads the state, not the disk; calls nothing of `side` but `isExcluded`. */
  constructor(place: DirectoryPlace, rules: DirectoryRules, side: DirectorySide) {
    this.#place = place;
    this.#rules = rules;
    this.#side = side;
    this.name = rules.name;
    const { path, nested, db, owners, clock, reserve, largeFrom, thread, lane } = place;
    this.replica = new Replica({
      rules,
      path,
      nested,
      isExcluded: (each, isFolder) => side.isExcluded(each, isFolder),
      index: new ScanIndexTable(db, rules.name),
      owners,
      clock,
      events: {
        onChanges: (changes, continues) => side.takeChanges(changes, continues),
        onHeld: () => side.holdChanged(),
        onFolderRenamed: (from, to) => side.folderRenamed?.(from, to),
        onError: this.onUnread,
      },
    });
    this.replica.contents.hashIn(thread);
    this.#watch = new Watch(this.replica, {
      clock,
      onPolling: (error) => this.#log.warn(POLLING, { error }),
      onError: this.onUnread,
    });
    this.applier = new Applier({
      directory: rules.name,
      path,
      journal: new Journal(db),
      clock,
      reserve,
      receiving: { resumableFrom: largeFrom, thread, lane },
      withLease: (show, signal) => side.withLease(show, signal),
      events: {
        onPlaced: (placed, left) => this.replica.own.add(placed, left),
        onPlacedLost: (paths) => this.replica.own.lost(paths),
        onFinished: () => side.recovered(),
      },
    });
  }

  get #log(): Logger {
    return this.#place.log;
  }

  /** Logs that something in the directory could not be read. */
  readonly onUnread = (error: unknown): void => this.#log.error('directory could not be read', { error });

  /** True when the kernel refused a watch for a part of it, which is scanned every few seconds instead. */
  get isPolling(): boolean {
    return this.#watch.isPolling;
  }

  /** Number of bursts of events after which the whole directory was scanned. */
  get watchOverflows(): number {
    return this.#watch.overflows;
  }

  /** True while the whole directory is being scanned: a change that is found then may be an old one. */
  get isRescanning(): boolean {
    return this.#rescans > 0;
  }

  /** True once it is being closed: what it has scanned may be incomplete then. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Completes interrupted change sets, scans the directory, and watches it. Ends early when it is closed meanwhile. */
  start(): Promise<void> {
    this.#started = this.#start();
    return this.#started;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.replica.endScans();
    await this.#watch.close();
    // Its errors go to the one that started it.
    await this.#started.catch(() => undefined);
    await this.applier.close();
    await this.#side.endWork();
    await this.replica.close();
  }

  async #start(): Promise<void> {
    try {
      const outcomes = await this.applier.recover((changeSet, ended) =>
        this.#side.recordRecovered(changeSet, ended),
      );
      if (outcomes.length > 0) {
        this.#side.recovered();
        this.#log.warn('finished a change set that was cut off', { steps: outcomes.length });
      }
    } catch (error) {
      this.#log.error('directory is not ready', { error });
    }
    this.#watch.begin();
    await this.rescan();
    if (this.#isClosing) return;
    this.#side.scanned();
    this.#watch.start();
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

  /** Scans the whole directory and waits until what is being written has settled, for a little longer than it takes to settle. */
  async readAgain(): Promise<void> {
    await this.rescan();
    await this.replica.whenQuiet(this.#rules.settle + QUIET_EXTRA);
  }

  /** Records the result of a change set of this program. @throws what `takeChanges` or the state throws */
  adopt(outcomes: readonly Outcome[]): void {
    for (const { step, result, stamp } of outcomes) {
      if (result !== 'done' || step.kind === 'keep') continue;
      const isMove = step.kind === 'move';
      if (isMove) this.replica.adopt(step.from, undefined, step.expect);
      const isGone = step.kind === 'remove' || stamp === undefined;
      this.replica.adopt(
        step.path,
        isGone ? undefined : { state: { kind: 'settled', entry: step.entry }, stamp },
        isMove ? undefined : step.expect,
      );
    }
    this.replica.flush(this.#place.lane?.turn);
  }

  /**
   * Reads every file again. A file whose content differs from its record is rescanned.
   * @throws the reason of the signal, or that the directory is being closed
   */
  async verify(onRead: OnRead, signal: AbortSignal): Promise<Verified> {
    const verified = await verifyReplica(this.replica, onRead, signal);
    this.replica.distrust(verified.wrong.keys());
    return verified;
  }

  /** @throws that the directory is being closed */
  trash(): Promise<ListedTrash> {
    return inSlices(listTrash(this.name, this.#place.path), this.replica.signal);
  }

  /**
   * Restores a copy of an item of the trash.
   * @returns the result, which is still to be recorded
   * @throws when it can't be restored
   */
  async restore(item: TrashItem, to: string): Promise<readonly Outcome[]> {
    const { applier, replica } = this;
    const { owners } = this.#place;
    const outcomes = await restoreFromTrash(item, to, { applier, replica, owners, record: () => undefined });
    const failed = outcomes.find(({ result }) => result !== 'done');
    if (failed)
      throw new Error(`${to} could not be written (${failed.errno ?? 'it changed meanwhile'}): try again`);
    return outcomes;
  }

  /**
   * Deletes expired items from the trash, which is read only when one of them is due.
   * @param keep milliseconds
   * @returns false when the directory is on hold: it may be missing, and its trash with it; and when it is being closed
   */
  async purge(keep: number): Promise<boolean> {
    const { held, signal } = this.replica;
    if (held !== undefined || signal.aborted) return false;
    // Two of them would remove the same items.
    this.#purging ??= this.#purge(keep).finally(() => (this.#purging = undefined));
    await this.#purging.catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    return !signal.aborted;
  }

  async #purge(keep: number): Promise<void> {
    const { path, clock, log } = this.#place;
    const now = clock.now();
    if (now - keep <= this.#oldestInTrash) return;
    const { oldest } = await inSlices(purgeTrash({ root: path, keep, now, log }), this.replica.signal);
    this.#oldestInTrash = oldest;
  }
}
