import { MAX_FILE_BYTES } from '#protocol/limits.ts';
import { bytesOf, type Entry } from '#core/manifest/entry.ts';
import { entryOf, movingState, type PathState, sameState } from '#core/manifest/pathState.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import { baseOf, isBelow, parentOf, tooLong } from '#core/path/relative.ts';
import type { ScanIndex } from '../state/scanIndex.ts';
import { Departed } from './renames/departed.ts';
import { PathIndex, lastKnownEntry } from './pathIndex.ts';
import type { SettleQueue } from './settleQueue.ts';

/** The stamp of a vanished path, which may come back before the settle time is over. */
const GONE: Stamp = 'gone';
/** Delay before an unreadable file is read again, milliseconds. */
const UNREADABLE_RETRY = 15_000;
/** A file that has been changing for this long is reported, milliseconds. */
const RESTLESS = 60_000;
const RESTLESS_REASON = 'is still being written; it is sent once it is closed and unchanged';

/**
 * The scanner's results for one directory, with the paths that have not settled. Only settled paths are saved in the
 * scan index; the others are read again at the next start.
 */
export class ScannedPaths {
  readonly index = new PathIndex();
  readonly departed = new Departed();
  /** Since when a path has not settled in its time, monotonic milliseconds. */
  readonly #restlessSince = new Map<string, number>();
  readonly #queue: SettleQueue;
  /** Names of overrides by folder, known only so that they are ignored. */
  readonly #overrides = new Map<string, ReadonlySet<string>>();
  /** Excluded names by folder, with true for a folder; known only so that they are ignored. */
  readonly #excluded = new Map<string, Map<string, boolean>>();
  readonly #isExcluded: (path: string, isFolder: boolean) => boolean;
  #unsaved = new Set<string>();
  /** How many paths are {@link GONE}. */
  #gone = 0;

  constructor(
    queue: SettleQueue,
    remembered: ScanIndex,
    isExcluded: (path: string, isFolder: boolean) => boolean,
  ) {
    this.#queue = queue;
    this.#isExcluded = isExcluded;
    for (const { path, stamp, entry } of remembered.load()) {
      // An older version saved objects that do not travel as ordinary ones.
      if (tooLong(path) !== undefined || bytesOf(entry) > MAX_FILE_BYTES) continue;
      if (isExcluded(path, entry.type === 'folder')) this.#unsaved.add(path);
      else this.index.restore(path, { state: { kind: 'settled', entry }, stamp });
    }
    if (this.index.size === 0) queue.takeInPortions();
  }

  put(path: string, state: PathState, stamp: Stamp): void {
    const before = this.index.get(path);
    if (before && before.stamp === stamp && sameState(before.state, state)) return;
    this.#gone += Number(stamp === GONE) - Number(before?.stamp === GONE);
    this.index.set(path, { state, stamp });
    if (state.kind !== 'moving') this.#restlessSince.delete(path);
    this.departed.forget(path);
    this.#unsaved.add(path);
  }

  /** Marks a path as unreadable and schedules a retry. */
  putUnreadable(path: string, errno: string): void {
    this.put(path, { kind: 'unreadable', errno }, '');
    this.#queue.wait(path, UNREADABLE_RETRY);
  }

  /** Marks a file with a new stamp as moving: its content is read once it has settled. */
  putMoving(path: string, stamp: Stamp): void {
    const before = this.index.stateOf(path);
    this.put(path, movingState(lastKnownEntry(before)), stamp);
    if (before?.kind === 'moving') this.#noteRestless(path);
  }

  /** A file that was to be read is still being written: it waits again. */
  waitAgain(path: string): void {
    this.#noteRestless(path);
    this.#queue.wait(path);
  }

  /** Not at once: of a hundred thousand files of a first scan, nearly all only wait for their turn. */
  #noteRestless(path: string): void {
    if (!this.#restlessSince.has(path)) this.#restlessSince.set(path, this.#queue.now);
  }

  /**
   * Existing paths that do not travel, with the reason. They are looked for one by one, as far as the caller goes: during
   * a long first scan there may be as many as files, and Main's conditions ask every second.
   */
  get skipped(): Iterable<readonly [path: string, why: string]> {
    return this.#findSkipped();
  }

  drop(path: string): void {
    this.#queue.delete(path);
    this.departed.forget(path);
    this.#restlessSince.delete(path);
    if (this.isGone(path)) this.#gone -= 1;
    this.index.delete(path);
    this.#unsaved.add(path);
  }

  /** Drops everything below a path that is not a folder any more. */
  dropBelow(path: string): void {
    if (this.index.childrenOf(path).size === 0) return;
    for (const child of [...this.index.below(path)]) this.drop(child);
  }

  dropBelowUnlessFolder(path: string, state: PathState): void {
    if (state.kind !== 'settled' || state.entry.type !== 'folder') this.dropBelow(path);
  }

  /** Marks a path as vanished. It counts as removed when it stays away for the settle time. */
  vanish(path: string): void {
    if (this.#isGoneAndDue(path)) return;
    for (const child of [...this.index.below(path)]) this.#markGone(child);
    this.#markGone(path);
  }

  /**
   * Enters an object that this program has placed at a path; undefined for a removal.
   * @param expect the stamp of what was replaced; undefined when nothing was there
   * @returns false when something newer has been read there, which stays
   */
  adopt(
    path: string,
    placed: { state: PathState; stamp: Stamp } | undefined,
    expect: Stamp | undefined,
  ): boolean {
    if (this.#hasChangedSince(path, expect, placed?.stamp)) return false;
    this.#queue.delete(path);
    if (placed === undefined) {
      this.dropBelow(path);
      this.drop(path);
    } else if (!this.takeExcluded(path, entryOf(placed.state)?.type === 'folder')) {
      this.dropBelowUnlessFolder(path, placed.state);
      this.put(path, placed.state, placed.stamp);
    }
    return true;
  }

  #hasChangedSince(path: string, before: Stamp | undefined, after: Stamp | undefined): boolean {
    const now = this.index.get(path)?.stamp;
    if (now === before || now === after) return false;
    // Its removal was noticed already.
    return now !== GONE || after !== undefined;
  }

  isGone(path: string): boolean {
    return this.index.unlessFile(path)?.stamp === GONE;
  }

  *folders(): Iterable<string> {
    yield '';
    for (const path of this.index.paths()) {
      const state = this.index.unlessFile(path)?.state;
      if (state?.kind === 'settled' && state.entry.type === 'folder') yield path;
    }
  }

  /** True when there was something and nothing is left. Asked for each of the files in a folder that was renamed. */
  get isEmptied(): boolean {
    return this.index.size > 0 && this.#gone === this.index.size;
  }

  get hasMoving(): boolean {
    for (const path of this.#queue.paths())
      if (this.index.unlessFile(path)?.state.kind === 'moving') return true;
    return false;
  }

  /** The errno of the nearest folder above a path that can't be read. */
  unreadableAbove(path: string): string | undefined {
    for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) {
      const state = this.index.stateOf(folder);
      if (state?.kind === 'unreadable') return state.errno;
      if (state !== undefined) return undefined;
    }
    return undefined;
  }

  setOverrides(folder: string, names: ReadonlySet<string>): void {
    if (names.size > 0) this.#overrides.set(folder, names);
    else this.#overrides.delete(folder);
  }

  /** True when the folder contains, at any depth, an override or an excluded name. */
  holdsOverride(folder: string): boolean {
    for (const holders of [this.#overrides, this.#excluded])
      for (const holder of holders.keys()) if (holder === folder || isBelow(holder, folder)) return true;
    return false;
  }

  /** Notes an excluded name. @returns false when it is not excluded, or was known before it was excluded */
  takeExcluded(path: string, isFolder: boolean): boolean {
    if (this.index.has(path) || !this.#isExcluded(path, isFolder)) return false;
    const names = this.#excluded.get(parentOf(path)) ?? new Map<string, boolean>();
    this.#excluded.set(parentOf(path), names.set(baseOf(path), isFolder));
    return true;
  }

  /** Drops the excluded names in a folder that are not among these. */
  keepExcluded(folder: string, names: ReadonlySet<string>): void {
    const known = this.#excluded.get(folder);
    if (known === undefined) return;
    for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    if (known.size === 0) this.#excluded.delete(folder);
  }

  dropExcluded(path: string): void {
    const names = this.#excluded.get(parentOf(path));
    names?.delete(baseOf(path));
    if (names?.size === 0) this.#excluded.delete(parentOf(path));
  }

  /** The excluded files (not folders) directly in a folder. */
  excludedFilesIn(folder: string): string[] {
    return [...(this.#excluded.get(folder) ?? [])].flatMap(([name, isFolder]) => (isFolder ? [] : [name]));
  }

  /**
   * Saves the scan index.
   * @param most number of paths at a time
   * @returns true when nothing is left to save
   * @throws when the state can't be written; the same is saved the next time
   */
  save(remembered: ScanIndex, most = Infinity): boolean {
    const unsaved = this.#unsaved;
    const saved = unsaved.size <= most ? unsaved : new Set(unsaved.values().take(most));
    if (saved.size > 0) remembered.save(this.#rowsOf(saved));
    if (saved === unsaved) this.#unsaved = new Set();
    else for (const path of saved) unsaved.delete(path);
    return this.#unsaved.size === 0;
  }

  /** One after the other: after a first scan they are as many as files. */
  *#rowsOf(paths: Iterable<string>): Iterable<readonly [string, { stamp: Stamp; entry: Entry } | undefined]> {
    for (const path of paths) {
      const node = this.index.get(path);
      if (node === undefined) yield [path, undefined];
      else if (node.state.kind === 'settled') yield [path, { stamp: node.stamp, entry: node.state.entry }];
    }
  }

  /** First the files that have been changing for long without settling: the table has those first that began first. */
  *#findSkipped(): Iterable<readonly [path: string, why: string]> {
    const before = this.#queue.now - RESTLESS;
    for (const [path, since] of this.#restlessSince) {
      if (since >= before) break;
      yield [path, RESTLESS_REASON];
    }
    yield* this.index.skipped;
  }

  #isGoneAndDue(path: string): boolean {
    return this.isGone(path) && this.#queue.has(path);
  }

  #markGone(path: string): void {
    const node = this.index.get(path);
    if (node === undefined || this.#isGoneAndDue(path)) return;
    const last = lastKnownEntry(node.state);
    this.put(path, movingState(last), GONE);
    if (node.state.kind === 'settled' && node.state.entry.type === 'file')
      this.departed.add(path, node.stamp, node.state.entry);
    // A path that never settled was never reported, so its removal needs no confirmation.
    if (last === undefined) this.#queue.wait(path, 0);
    else this.#queue.waitGone(path);
  }
}
