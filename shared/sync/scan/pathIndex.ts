import type { FileVersion } from '#host/fs/listing/fileVersion.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import { ContentDigest } from '#core/manifest/digest.ts';
import { type Entry, sameContent, sameEntry } from '#core/manifest/entry.ts';
import { filePool } from '#core/manifest/kept/filePool.ts';
import { entryOf, fileOf, type PathState } from '#core/manifest/pathState.ts';
import { parentOf } from '#core/path/relative.ts';
import { ChangedPaths } from '#core/plan/changedPaths.ts';
import { ConfirmedFolders } from './folders/confirmedFolders.ts';
import { IndexedFiles } from './indexedFiles.ts';

/** A path's state, and the stamp under which it was read. */
export type IndexedPath = { readonly state: PathState; readonly stamp: Stamp };

/** A change of a path, for the other side: the last known entry before, the state after. */
export type Change = { readonly before: Entry | undefined; readonly after: PathState | undefined };
export type Changes = ReadonlyMap<string, Change>;

/** The states of one directory's paths on this host; counts and digest are updated with each change. */
export class PathIndex {
  /** The folders that were found as they are in here. */
  readonly confirmed = new ConfirmedFolders();
  /** The paths that have changed since everything was planned, where that is done. */
  readonly unplanned = new ChangedPaths();
  /** Settled files by their row in {@link #rows}. */
  readonly #nodes = new Map<string, number | IndexedPath>();
  readonly #rows = new IndexedFiles();
  /** Paths by their folder: the same strings as in the table, which names would not be. */
  readonly #children = new Map<string, Set<string>>();
  readonly #digest = new ContentDigest();
  readonly #skipped = new Map<string, string>();
  #changes = new Map<string, Change>();
  files = 0;
  bytes = 0;

  get size(): number {
    return this.#nodes.size;
  }

  get digest(): string {
    return this.#digest.hex;
  }

  get(path: string): IndexedPath | undefined {
    const node = this.#nodes.get(path);
    if (typeof node !== 'number') return node;
    const entry = this.#rows.entry(node);
    return { state: { kind: 'settled', entry }, stamp: this.#rows.stamp(node, entry) };
  }

  has(path: string): boolean {
    return this.#nodes.has(path);
  }

  /** The state of a path alone, which is what most ask for. */
  stateOf(path: string): PathState | undefined {
    const node = this.#nodes.get(path);
    return typeof node === 'number' ? { kind: 'settled', entry: this.#rows.entry(node) } : node?.state;
  }

  /** The same for all but settled files, for which no object has to be made: undefined for these. */
  unlessFile(path: string): IndexedPath | undefined {
    const node = this.#nodes.get(path);
    return typeof node === 'number' ? undefined : node;
  }

  /**
   * The stamp under which exactly this entry was read; undefined when the path holds something else by now. A change set
   * made for the entry must not touch what came after it.
   * @param what `special` for an object that does not travel, whichever it is
   */
  stampOf(path: string, what: Entry | 'special'): Stamp | undefined {
    const node = this.get(path);
    if (what === 'special') return node?.state.kind === 'special' ? node.stamp : undefined;
    return node?.state.kind === 'settled' && sameEntry(node.state.entry, what) ? node.stamp : undefined;
  }

  /** True when a path is known as a settled file, and this is the version of it. */
  holds(path: string, found: FileVersion): boolean {
    const node = this.#nodes.get(path);
    return typeof node === 'number' && this.#rows.isOf(node, found);
  }

  paths(): Iterable<string> {
    return this.#nodes.keys();
  }

  /**
   * Finds files with these contents, empty ones aside. A first pass of very many files asks for each of its sets, so nothing is
   * made here for each path.
   * @returns the path of one for each content that is here, by its hash
   */
  filesWith(hashes: ReadonlySet<string>): Map<string, string> {
    const found = new Map<string, string>();
    if (hashes.size === 0) return found;
    const mayHold = filePool.mayHold(hashes);
    for (const [path, node] of this.#nodes) {
      if (typeof node === 'number' && !mayHold(this.#rows.number(node))) continue;
      const entry = entryOf(this.stateOf(path));
      if (entry?.type === 'file' && entry.size > 0 && hashes.has(entry.hash)) found.set(entry.hash, path);
    }
    return found;
  }

  /** Existing paths that do not travel, with the reason. */
  get skipped(): ReadonlyMap<string, string> {
    return this.#skipped;
  }

  /** The paths directly inside a folder. */
  childrenOf(folder: string): ReadonlySet<string> {
    return this.#children.get(folder) ?? new Set();
  }

  /** Every path below a folder, parents before children. */
  *below(folder: string): Iterable<string> {
    for (const path of this.childrenOf(folder)) {
      yield path;
      yield* this.below(path);
    }
  }

  /** Enters what was known at the last end, which is no change. */
  restore(path: string, node: IndexedPath): void {
    this.#put(path, this.stateOf(path), node);
  }

  set(path: string, node: IndexedPath): void {
    const before = this.stateOf(path);
    this.#put(path, before, node);
    this.#note(path, before, node.state);
  }

  #put(path: string, before: PathState | undefined, node: IndexedPath): void {
    this.confirmed.forget(path);
    this.unplanned.note(path);
    this.#keep(path, node);
    if (before === undefined) this.#enlist(path);
    this.#count(path, lastKnownEntry(before), lastKnownEntry(node.state));
    const why = whySkipped(node.state);
    if (why !== undefined) this.#skipped.set(path, why);
    else if (before !== undefined) this.#skipped.delete(path);
  }

  delete(path: string): void {
    const before = this.stateOf(path);
    if (before === undefined) return;
    this.confirmed.forget(path);
    this.unplanned.note(path);
    this.#free(path);
    this.#nodes.delete(path);
    this.#skipped.delete(path);
    const siblings = this.#children.get(parentOf(path));
    siblings?.delete(path);
    if (siblings?.size === 0) this.#children.delete(parentOf(path));
    this.#count(path, lastKnownEntry(before), undefined);
    this.#note(path, before, undefined, true);
  }

  get haveChanges(): boolean {
    return this.#changes.size > 0;
  }

  /**
   * The changes since the last call.
   * @param most so many at a time, and the removals that follow: those of the old names, and a mass removal, which is judged
   *   as one
   */
  takeChanges(most = Infinity): Changes {
    const changes = this.#changes;
    if (changes.size <= most) {
      this.#changes = new Map();
      return changes;
    }
    const taken = new Map<string, Change>();
    for (const [path, change] of changes) {
      if (taken.size >= most && change.after !== undefined) break;
      taken.set(path, change);
      changes.delete(path);
    }
    return taken;
  }

  /** Restores changes whose consumer failed, so that they are returned again. */
  putBack(changes: Changes): void {
    for (const [path, { before, after }] of changes) {
      const later = this.#changes.get(path);
      this.#changes.set(path, { before, after: later ? later.after : after });
    }
  }

  #keep(path: string, node: IndexedPath): void {
    const { state, stamp } = node;
    const file = fileOf(state);
    const row = file && this.#rows.add({ entry: file, stamp });
    this.#free(path);
    this.#nodes.set(path, row ?? node);
  }

  /** Frees the row of a path, if it has one. */
  #free(path: string): void {
    const node = this.#nodes.get(path);
    if (typeof node === 'number') this.#rows.remove(node);
  }

  #enlist(path: string): void {
    const folder = parentOf(path);
    const paths = this.#children.get(folder);
    if (paths) paths.add(path);
    else this.#children.set(folder, new Set([path]));
  }

  #count(path: string, before: Entry | undefined, after: Entry | undefined): void {
    if (before !== undefined && after !== undefined && sameContent(before, after)) return;
    if (before) this.#digest.toggle(path, before);
    if (after) this.#digest.toggle(path, after);
    if (before?.type === 'file') {
      this.files -= 1;
      this.bytes -= before.size;
    }
    if (after?.type === 'file') {
      this.files += 1;
      this.bytes += after.size;
    }
  }

  /** @param isLast a removal comes after what was found before it: the new name of a file before the old one */
  #note(path: string, before: PathState | undefined, after: PathState | undefined, isLast = false): void {
    const earlier = this.#changes.get(path);
    if (isLast) this.#changes.delete(path);
    this.#changes.set(path, { before: earlier ? earlier.before : lastKnownEntry(before), after });
  }
}

function whySkipped(state: PathState): string | undefined {
  if (state.kind === 'special') return state.what;
  return state.kind === 'unreadable' ? `can't be read: ${state.errno}` : undefined;
}

/** The entry that counts for the other side: the settled one, or the last one before the change in progress. */
export function lastKnownEntry(state: PathState | undefined): Entry | undefined {
  if (state?.kind === 'settled') return state.entry;
  return state?.kind === 'moving' ? state.last : undefined;
}
