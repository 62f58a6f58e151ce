import { MAX_FILE_BYTES } from '#protocol/limits.ts';
import { bytesOf, type Entry } from '#core/manifest/entry.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import { baseOf, isBelow, parentOf, tooLong } from '#core/path/relative.ts';
import type { ScanIndex } from '../state/scanIndex.ts';
import { Departed } from './departed.ts';
import { PathIndex, lastKnownEntry } from './pathIndex.ts';
import type { SettleQueue } from './settleQueue.ts';

/** The stamp of a path that was there and is not any more: it may come back before the settle time is over. */
const GONE: Stamp = 'gone';
/** How long until a file that could not be read is tried again, milliseconds. */
const UNREADABLE_RETRY = 15_000;

/**
 * What the scanner has found in one directory, and what of it is still under change. Only settled paths are
 * remembered in the scan index: the rest is read anew at the next start.
 */
export class ScannedPaths {
  readonly index = new PathIndex();
  readonly departed = new Departed();
  /** Since when a path has been changing without a rest, monotonic milliseconds. */
  readonly #movingSince = new Map<string, number>();
  readonly #queue: SettleQueue;
  /** Names of overrides by the folder that holds them: known only to be left alone. */
  readonly #overrides = new Map<string, ReadonlySet<string>>();
  /** Excluded names, by the folder that holds them; true for a folder. Known only to be left alone. */
  readonly #excluded = new Map<string, Map<string, boolean>>();
  readonly #isExcluded: (path: string, isFolder: boolean) => boolean;
  #unsaved = new Set<string>();

  constructor(
    queue: SettleQueue,
    remembered: ScanIndex,
    isExcluded: (path: string, isFolder: boolean) => boolean,
  ) {
    this.#queue = queue;
    this.#isExcluded = isExcluded;
    for (const { path, stamp, entry } of remembered.load()) {
      // An older version took for ordinary what does not travel.
      if (tooLong(path) !== undefined || bytesOf(entry) > MAX_FILE_BYTES) continue;
      if (isExcluded(path, entry.type === 'folder')) this.#unsaved.add(path);
      else this.index.set(path, { state: { kind: 'settled', entry }, stamp });
    }
    this.index.takeChanges();
  }

  put(path: string, state: PathState, stamp: Stamp): void {
    const before = this.index.get(path);
    if (before && before.stamp === stamp && sameState(before.state, state)) return;
    this.index.set(path, { state, stamp });
    if (state.kind !== 'moving') this.#movingSince.delete(path);
    this.departed.forget(path);
    this.#unsaved.add(path);
  }

  /** It can't be read: that is tried again, and concludes nothing about it. */
  putUnreadable(path: string, errno: string): void {
    this.put(path, { kind: 'unreadable', errno }, '');
    this.#queue.wait(path, UNREADABLE_RETRY);
  }

  /** A file has another stamp than before: what it holds is known when it has been quiet. */
  putMoving(path: string, stamp: Stamp): void {
    const last = lastKnownEntry(this.index.get(path)?.state);
    this.put(path, { kind: 'moving', ...(last && { last }) }, stamp);
    if (!this.#movingSince.has(path)) this.#movingSince.set(path, this.#queue.now);
  }

  /** The files that have been changing for longer than this without a rest. @param limit milliseconds */
  *restless(limit: number): Iterable<string> {
    const before = this.#queue.now - limit;
    for (const [path, since] of this.#movingSince) if (since < before) yield path;
  }

  drop(path: string): void {
    this.#queue.delete(path);
    this.departed.forget(path);
    this.#movingSince.delete(path);
    this.index.delete(path);
    this.#unsaved.add(path);
  }

  /** The path is no folder any more: nothing is below it. */
  dropBelow(path: string): void {
    if (this.index.namesIn(path).size === 0) return;
    for (const child of [...this.index.below(path)]) this.drop(child);
  }

  dropBelowUnlessFolder(path: string, state: PathState): void {
    if (state.kind !== 'settled' || state.entry.type !== 'folder') this.dropBelow(path);
  }

  /** The path is not there now. It counts as removed when it stays away for the settle time. */
  vanish(path: string): void {
    if (this.#isGoneAndDue(path)) return;
    for (const child of [...this.index.below(path)]) this.#markGone(child);
    this.#markGone(path);
  }

  isGone(path: string): boolean {
    return this.index.get(path)?.stamp === GONE;
  }

  *folders(): Iterable<string> {
    yield '';
    for (const path of this.index.paths()) {
      const state = this.index.get(path)?.state;
      if (state?.kind === 'settled' && state.entry.type === 'folder') yield path;
    }
  }

  /** True when something was there and nothing of it is there now. */
  get isEmptied(): boolean {
    if (this.index.size === 0) return false;
    for (const path of this.index.paths()) if (!this.isGone(path)) return false;
    return true;
  }

  get hasMoving(): boolean {
    for (const path of this.#queue.paths()) if (this.index.get(path)?.state.kind === 'moving') return true;
    return false;
  }

  /** The errno of the nearest folder above a path that can't be read. */
  unreadableAbove(path: string): string | undefined {
    for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) {
      const state = this.index.get(folder)?.state;
      if (state?.kind === 'unreadable') return state.errno;
      if (state !== undefined) return undefined;
    }
    return undefined;
  }

  setOverrides(folder: string, names: ReadonlySet<string>): void {
    if (names.size > 0) this.#overrides.set(folder, names);
    else this.#overrides.delete(folder);
  }

  /** True when something lies in the folder, at any depth, that is left alone: an override or an excluded name. */
  holdsOverride(folder: string): boolean {
    for (const holders of [this.#overrides, this.#excluded])
      for (const holder of holders.keys()) if (holder === folder || isBelow(holder, folder)) return true;
    return false;
  }

  /** Takes note of an excluded name. @returns false when it is not one, or was known before it was */
  takeExcluded(path: string, isFolder: boolean): boolean {
    if (this.index.get(path) !== undefined || !this.#isExcluded(path, isFolder)) return false;
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

  /** @throws when the state can't be written; then the same is saved the next time */
  save(remembered: ScanIndex): void {
    if (this.#unsaved.size === 0) return;
    const changes = new Map<string, { stamp: Stamp; entry: Entry } | undefined>();
    for (const path of this.#unsaved) {
      const node = this.index.get(path);
      if (node === undefined) changes.set(path, undefined);
      else if (node.state.kind === 'settled')
        changes.set(path, { stamp: node.stamp, entry: node.state.entry });
    }
    remembered.save(changes);
    this.#unsaved = new Set();
  }

  /** What a hold kept from being removed is judged again when it is seen to be missing again. */
  #isGoneAndDue(path: string): boolean {
    return this.isGone(path) && this.#queue.has(path);
  }

  #markGone(path: string): void {
    const node = this.index.get(path);
    if (node === undefined || this.#isGoneAndDue(path)) return;
    const last = lastKnownEntry(node.state);
    this.put(path, { kind: 'moving', ...(last && { last }) }, GONE);
    if (node.state.kind === 'settled' && node.state.entry.type === 'file')
      this.departed.add(path, node.stamp, node.state.entry.hash);
    // What never settled was never reported either: nobody has to be sure that it is gone.
    if (last === undefined) this.#queue.wait(path, 0);
    else this.#queue.waitGone(path);
  }
}

function sameState(a: PathState, b: PathState): boolean {
  if (a.kind === 'settled' && b.kind === 'settled')
    return JSON.stringify(a.entry) === JSON.stringify(b.entry);
  return JSON.stringify(a) === JSON.stringify(b);
}
