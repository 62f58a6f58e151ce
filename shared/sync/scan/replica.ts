import { type BigIntStats, fstatSync } from 'node:fs';
import { OpenFolders } from '#host/fs/openFolders.ts';
import type { Folder } from '#host/fs/folder.ts';
import type { Owners } from '#host/fs/owners.ts';
import { type Stamp, stampOf } from '#core/manifest/stamp.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import type { Entry } from '#core/manifest/entry.ts';
import type { PathState, Sight } from '#core/manifest/pathState.ts';
import { OVERRIDE_PREFIX, RESERVED_NAME } from '#core/path/names.ts';
import { isNested } from '#core/path/nesting.ts';
import { baseOf, isBelow, isOverride, joinPath, MAX_DEPTH, depthOf, parentOf } from '#core/path/relative.ts';
import type { Tree } from '#core/plan/tree.ts';
import { TimeSlice } from '#host/time/timeSlice.ts';
import { StateError } from '../state/stateError.ts';
import type { Clock } from '#host/time/clock.ts';
import { hashFile } from './hashFile.ts';
import { inspect } from './inspect.ts';
import { type Changes, PathIndex, visible } from './pathIndex.ts';
import type { ScanIndex } from '../state/scanIndex.ts';

/** The stamp of a path that was there and is not any more: it may come back before the settle time is over. */
const GONE: Stamp = 'gone';
/** How long until a file that could not be read is tried again, milliseconds. */
const UNREADABLE_RETRY = 15_000;
/** Changes that could not be taken over (the state can't be written) are handed out again after this long, milliseconds. */
const FLUSH_RETRY = 5_000;
/** A directory that counts as a whole waits no longer for a file that never becomes quiet, milliseconds. */
const WHOLE_LIMIT = 5_000;
/** How long until a directory that could not be read (it is missing, no file handles are left) is tried again, milliseconds. */
const MISSED_RETRY = 3_000;
/** Paths that are due within this many milliseconds of each other settle together. */
const TOGETHER = 5;

export type ReplicaOptions = {
  readonly name: string;
  /** Absolute path of the synchronised directory on this host. */
  readonly path: string;
  /** Relative paths of the synchronised directories inside this one. */
  readonly nested: ReadonlySet<string>;
  /** How long a file must have been quiet, milliseconds. */
  readonly settle: number;
  /** Whether a directory that became empty is suspicious (where its emptiness would remove files elsewhere). */
  readonly emptyIsHeld: boolean;
  /** What changes within the same while is news only when all of it is quiet: files that mean something together. */
  readonly whole: boolean;
  readonly index: ScanIndex;
  readonly owners: Owners;
  readonly clock: Clock;
  readonly onChanges: (changes: Changes) => void;
  /** The directory is held now, or not any more. */
  readonly onHeld: () => void;
  readonly onError: (error: unknown) => void;
};

/**
 * What one host holds of one synchronised directory, kept true while the disk changes. Hints (a folder, or a
 * name in it, may have changed) make it look again; files are taken only when they have been quiet.
 */
export class Replica implements Tree {
  readonly name: string;
  readonly path: string;
  held: string | undefined;
  /** Why the directory as a whole could not be read the last time. What the state does is not told here. */
  trouble: string | undefined;
  /** The last error that was told: the same again is no news. */
  #told: string | undefined;
  readonly #options: ReplicaOptions;
  readonly #nodes = new PathIndex();
  /** Names of overrides by the folder that holds them: known only to be left alone. */
  readonly #overrides = new Map<string, Set<string>>();
  /** When a path under change is looked at again (monotonic milliseconds). */
  readonly #due = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #flushTimer: NodeJS.Timeout | undefined;
  /** Changes wait that nobody has taken over yet: what was learnt with them is not to be remembered without them. */
  #owed = false;
  /** Since when changes wait until the whole directory is quiet (monotonic milliseconds). */
  #waitingSince: number | undefined;
  #work: Promise<void> = Promise.resolve();
  #unsaved = new Set<string>();
  /** Something was to be looked at and could not be: everything is read again as soon as the directory can be. */
  #missed = false;
  #emptyConfirmed = false;
  #closed = false;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.name = options.name;
    this.path = options.path;
    for (const { path, stamp, entry } of options.index.load()) {
      this.#nodes.set(path, { state: { kind: 'settled', entry }, stamp });
    }
    this.#nodes.takeChanges();
  }

  get files(): number {
    return this.#nodes.files;
  }

  get bytes(): number {
    return this.#nodes.bytes;
  }

  get digest(): string {
    return this.#nodes.digest;
  }

  get(path: string): Sight {
    const state = this.#nodes.get(path)?.state;
    if (state !== undefined) return state;
    const blind = this.#unreadableAbove(path);
    return blind === undefined ? undefined : { kind: 'unreadable', errno: blind };
  }

  /** The stamp under which a settled path was read. */
  stampAt(path: string): Stamp | undefined {
    return this.#nodes.get(path)?.stamp;
  }

  paths(): Iterable<string> {
    return this.#nodes.paths();
  }

  *childrenOf(folder: string): Iterable<string> {
    for (const name of this.#nodes.namesIn(folder)) yield joinPath(folder, name);
  }

  holdsOverride(folder: string): boolean {
    if (this.#overrides.size === 0) return false;
    for (const [holder] of this.#overrides) {
      if (holder === folder || isBelow(holder, folder)) return true;
    }
    return false;
  }

  /** Paths that are being written or removed right now. */
  get movingPaths(): string[] {
    return [...this.#due.keys()];
  }

  /** Every folder in it, the directory itself first. */
  *folders(): Iterable<string> {
    yield '';
    for (const path of this.#nodes.paths()) {
      const state = this.#nodes.get(path)?.state;
      if (state?.kind === 'settled' && state.entry.type === 'folder') yield path;
    }
  }

  /** Reads the whole directory again; files whose stamp is unchanged are not read. */
  rescan(): Promise<void> {
    return this.#exclusive((open) => this.#readFolder(open, '', true));
  }

  /** Reads folders again (not what lies in their known folders). */
  rereadFolders(folders: readonly string[]): Promise<void> {
    return this.#exclusive(async (open) => {
      for (const folder of folders) {
        if (!this.#isForeign(folder)) await this.#readFolder(open, folder, false);
      }
    });
  }

  /** Looks at single names again. */
  relook(paths: readonly string[]): Promise<void> {
    return this.#exclusive(async (open) => {
      const fresh: string[] = [];
      for (const path of paths) this.#lookAgain(open, path, fresh);
      for (const folder of fresh) await this.#readFolder(open, folder, true);
    });
  }

  /**
   * Waits until nothing is under change, at most `limit` milliseconds.
   * @returns what is still under change
   */
  async whenQuiet(limit: number): Promise<string[]> {
    const deadline = this.#options.clock.monotonic() + limit;
    for (;;) {
      await this.#work;
      const soon = [...this.#due.values()].some((due) => due <= deadline);
      if (!soon || this.#closed || this.#options.clock.monotonic() > deadline) return this.movingPaths;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Takes over what this program itself has just put (or removed: undefined) at a path. */
  adopt(path: string, placed: { state: PathState; stamp: Stamp } | undefined): void {
    this.#due.delete(path);
    if (placed === undefined) {
      for (const child of [...this.#nodes.below(path)]) this.#drop(child);
      this.#drop(path);
    } else {
      this.#dropBelowUnlessFolder(path, placed.state);
      this.#put(path, placed.state, placed.stamp);
    }
  }

  /** The bytes of these files are not what was remembered: they are read again, whatever their times say. */
  distrust(paths: Iterable<string>): void {
    const distrusted = [...paths];
    for (const path of distrusted) {
      const last = visible(this.#nodes.get(path)?.state);
      this.#put(path, { kind: 'moving', ...(last && { last }) }, '');
    }
    void this.relook(distrusted);
  }

  /** Hands the changes so far to `onChanges`, and saves what was learnt. */
  flush(): void {
    const changes = this.#nodes.takeChanges();
    try {
      if (changes.size > 0) this.#options.onChanges(changes);
    } catch (error) {
      this.#nodes.putBack(changes);
      this.#owed = true;
      this.#flushLater();
      throw error;
    }
    this.#owed = false;
    try {
      this.#save();
    } catch (error) {
      this.#flushLater();
      throw error;
    }
  }

  /** Whether more of what belongs together is still under change. */
  #waitsForOthers(): boolean {
    const now = this.#options.clock.monotonic();
    if (this.#options.whole && this.#hasMoving()) {
      this.#waitingSince ??= now;
      if (now - this.#waitingSince < WHOLE_LIMIT) return true;
    }
    this.#waitingSince = undefined;
    return false;
  }

  #hasMoving(): boolean {
    for (const path of this.#due.keys()) if (this.#nodes.get(path)?.state.kind === 'moving') return true;
    return false;
  }

  #flushLater(): void {
    clearTimeout(this.#flushTimer);
    if (!this.#closed)
      this.#flushTimer = setTimeout(() => void this.#exclusive(async () => undefined), FLUSH_RETRY);
  }

  /** A person says that the directory as it is now is the right one. */
  async confirm(): Promise<void> {
    using root = new OpenFolders(this.path);
    this.#options.index.setRootIdentity(identityOf(fstatSync(root.root.fd, { bigint: true })));
    this.#emptyConfirmed = true;
    this.held = undefined;
    await this.rescan();
    await this.#exclusive((open) =>
      this.#settle(
        open,
        [...this.#nodes.paths()].filter((p) => this.#isGone(p)),
      ),
    );
    this.#emptyConfirmed = false;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#flushTimer);
    await this.#work;
    try {
      if (!this.#owed) this.#save();
    } catch (error) {
      // What is not remembered is read again at the next start.
      this.#options.onError(error);
    }
  }

  /** One piece of work after the other, each with the directory open; then the news is told. */
  #exclusive(work: (open: OpenFolders) => Promise<void>): Promise<void> {
    const run = async (): Promise<void> => {
      if (this.#closed) return;
      const before = { held: this.held, trouble: this.trouble };
      try {
        using open = this.#openRoot();
        const missed = this.#missed;
        this.#missed = true;
        if (open !== undefined) {
          if (missed) await this.#readFolder(open, '', true);
          await work(open);
          // Somebody may be in the middle of writing a set, and the events of its other files still be on their way.
          if (this.#options.whole && this.#nodes.haveChanges && !this.#hasMoving())
            await this.#readFolder(open, '', true);
          this.#missed = false;
        }
        if (this.#waitsForOthers()) this.#owed = true;
        else this.flush();
        this.trouble = undefined;
        this.#told = undefined;
      } catch (error) {
        const why = withRemedy(errnoOf(error));
        this.trouble = error instanceof StateError ? undefined : why;
        if (why !== this.#told) this.#options.onError(error);
        this.#told = why;
      }
      if (this.held !== before.held || this.trouble !== before.trouble) this.#options.onHeld();
      this.#arm();
    };
    this.#work = this.#work.then(run);
    return this.#work;
  }

  /** Opens the directory unless it is missing or not the one we know: then nothing may be concluded from it. */
  #openRoot(): (OpenFolders & Disposable) | undefined {
    let open: OpenFolders;
    try {
      open = new OpenFolders(this.path);
    } catch (error) {
      this.#hold(`${this.path} can't be opened (${errnoOf(error)})`);
      return undefined;
    }
    const identity = identityOf(fstatSync(open.root.fd, { bigint: true }));
    const known = this.#options.index.rootIdentity();
    if (known === undefined) this.#options.index.setRootIdentity(identity);
    else if (known !== identity) {
      open[Symbol.dispose]();
      this.#hold(`${this.path} is another folder than before (device or inode changed)`);
      return undefined;
    }
    if (this.held !== undefined && !this.#isEmptied()) this.held = undefined;
    return open;
  }

  #hold(reason: string): void {
    this.held = reason;
  }

  #isEmptied(): boolean {
    if (this.#nodes.size === 0) return false;
    for (const path of this.#nodes.paths()) if (!this.#isGone(path)) return false;
    return true;
  }

  #isGone(path: string): boolean {
    return this.#nodes.get(path)?.stamp === GONE;
  }

  async #readFolder(open: OpenFolders, folder: string, deep: boolean): Promise<void> {
    const breather = new TimeSlice();
    const queue = [folder];
    if (folder === '') this.#options.owners.refresh();
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      const handle = this.#openFolder(open, at);
      if (handle === undefined) continue;
      const names = this.#namesIn(handle, at);
      if (names === undefined) continue;
      const missing = new Set(this.#nodes.namesIn(at));
      const overrides = new Set<string>();
      for (const name of names) {
        missing.delete(name);
        if (name.startsWith(OVERRIDE_PREFIX)) overrides.add(name);
        else this.#lookAt(open.get(at), name, joinPath(at, name), deep, queue);
        if (breather.due) await breather.pause();
      }
      if (overrides.size > 0) this.#overrides.set(at, overrides);
      else this.#overrides.delete(at);
      for (const name of missing) this.#vanish(joinPath(at, name));
    }
  }

  /** @returns undefined when a folder in it can't be listed: that one alone is left as it was known */
  #namesIn(handle: Folder, folder: string): string[] | undefined {
    try {
      return handle.list();
    } catch (error) {
      if (folder === '') throw error;
      this.#put(folder, { kind: 'unreadable', errno: errnoOf(error) }, '');
      this.#wait(folder, UNREADABLE_RETRY);
      return undefined;
    }
  }

  #openFolder(open: OpenFolders, folder: string): Folder | undefined {
    try {
      return open.get(folder);
    } catch (error) {
      const errno = errnoOf(error);
      // It went away, or is no folder any more: its own folder will tell.
      if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return undefined;
      this.#put(folder, { kind: 'unreadable', errno }, '');
      this.#wait(folder, UNREADABLE_RETRY);
      return undefined;
    }
  }

  /** What lies in an override or in another synchronised directory is not ours, whatever a hint says. */
  #isForeign(folder: string): boolean {
    const isOurArea = folder === RESERVED_NAME || isBelow(folder, RESERVED_NAME);
    return isOurArea || isOverride(folder) || isNested(this.#options.nested, folder);
  }

  #lookAgain(open: OpenFolders, path: string, fresh: string[]): void {
    const name = baseOf(path);
    if (this.#isForeign(parentOf(path))) return;
    if (name.startsWith(OVERRIDE_PREFIX)) {
      // Whether it came or went, only its folder's list can tell cheaply.
      fresh.push(parentOf(path));
      return;
    }
    const handle = this.#openFolder(open, parentOf(path));
    if (handle === undefined) return;
    if (handle.stat(name) === undefined) this.#vanish(path);
    else this.#lookAt(handle, name, path, false, fresh);
  }

  /** Looks at one name; folders that have to be read are added to `queue`. */
  #lookAt(handle: Folder, name: string, path: string, deep: boolean, queue: string[]): void {
    if (this.#options.nested.has(path) || path === RESERVED_NAME) return;
    try {
      const stat = handle.stat(name);
      if (stat !== undefined) this.#observe(handle, name, path, stat, deep, queue);
    } catch (error) {
      this.#put(path, { kind: 'unreadable', errno: errnoOf(error) }, '');
      this.#wait(path, UNREADABLE_RETRY);
    }
  }

  #observe(
    handle: Folder,
    name: string,
    path: string,
    stat: BigIntStats,
    deep: boolean,
    queue: string[],
  ): void {
    const stamp = stampOf(stat);
    const node = this.#nodes.get(path);
    if (stat.isFile() && node?.stamp === stamp && node.state.kind !== 'unreadable') {
      if (node.state.kind === 'moving' && !this.#due.has(path)) this.#wait(path, this.#restOfSettle(stat));
      return;
    }
    const seen = inspect(handle, name, path, stat, this.#options.owners);
    if (seen.kind === 'file') {
      const last = visible(node?.state);
      this.#dropBelow(path);
      this.#put(path, { kind: 'moving', ...(last && { last }) }, stamp);
      this.#wait(path, this.#restOfSettle(stat));
      return;
    }
    this.#due.delete(path);
    const state: PathState =
      seen.kind === 'special' ? { kind: 'special', what: seen.what } : { kind: 'settled', entry: seen.entry };
    this.#dropBelowUnlessFolder(path, state);
    const wasFolder =
      node?.state.kind === 'settled' && node.state.entry.type === 'folder' && node.stamp !== GONE;
    this.#put(path, state, seen.kind === 'folder' ? '' : stamp);
    if (seen.kind === 'folder' && (deep || !wasFolder)) {
      if (depthOf(path) < MAX_DEPTH) queue.push(path);
      else this.#put(path, { kind: 'unreadable', errno: `deeper than ${MAX_DEPTH} folders` }, '');
    }
  }

  /** The path is not there now. It counts as removed when it stays away for the settle time. */
  #vanish(path: string): void {
    if (this.#isGoneAndDue(path)) return;
    for (const child of [...this.#nodes.below(path)]) this.#markGone(child);
    this.#markGone(path);
  }

  /** What a hold kept from being removed is judged again when it is seen to be missing again. */
  #isGoneAndDue(path: string): boolean {
    return this.#isGone(path) && this.#due.has(path);
  }

  #markGone(path: string): void {
    const node = this.#nodes.get(path);
    if (node === undefined || this.#isGoneAndDue(path)) return;
    const last = visible(node.state);
    this.#put(path, { kind: 'moving', ...(last && { last }) }, GONE);
    this.#wait(path, last === undefined ? 0 : this.#options.settle);
  }

  /** How long a file still has to be quiet, milliseconds. A ctime in the future tells nothing: the whole time. */
  #restOfSettle(stat: BigIntStats): number {
    const age = this.#options.clock.now() - Number(stat.ctimeNs / 1000n) / 1000;
    return age < 0 ? this.#options.settle : Math.max(0, this.#options.settle - age);
  }

  #wait(path: string, milliseconds: number): void {
    this.#due.set(path, this.#options.clock.monotonic() + milliseconds);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#closed || (this.#due.size === 0 && !this.#missed)) return;
    let first = Infinity;
    for (const due of this.#due.values()) if (due < first) first = due;
    const delay = this.#missed
      ? MISSED_RETRY
      : Math.max(0, Math.ceil(first - this.#options.clock.monotonic()));
    this.#timer = setTimeout(
      () => void this.#exclusive((open) => this.#settle(open, this.#takeDue())),
      delay,
    );
  }

  #takeDue(): string[] {
    const limit = this.#options.clock.monotonic() + TOGETHER;
    const due: string[] = [];
    for (const [path, at] of this.#due) if (at <= limit) due.push(path);
    for (const path of due) this.#due.delete(path);
    return due;
  }

  /** Takes files that have been quiet long enough, and removes what stayed away. */
  async #settle(open: OpenFolders, paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    const breather = new TimeSlice();
    const removed: string[] = [];
    const fresh: string[] = [];
    for (const path of paths) {
      if (this.#isGone(path)) {
        if (this.#stillGone(open, path)) removed.push(path);
        else this.#lookAgain(open, path, fresh);
      } else await this.#settleFile(open, path, fresh);
      if (breather.due) await breather.pause();
    }
    this.#removeUnlessEmptied(removed);
    for (const folder of fresh) await this.#readFolder(open, folder, true);
  }

  #stillGone(open: OpenFolders, path: string): boolean {
    try {
      return open.get(parentOf(path)).stat(baseOf(path)) === undefined;
    } catch (error) {
      const errno = errnoOf(error);
      return errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP';
    }
  }

  #removeUnlessEmptied(removed: readonly string[]): void {
    if (removed.length > 0 && this.#options.emptyIsHeld && !this.#emptyConfirmed && this.#isEmptied()) {
      this.#hold(`${this.path} became empty`);
      return;
    }
    for (const path of removed) this.#drop(path);
  }

  async #settleFile(open: OpenFolders, path: string, fresh: string[]): Promise<void> {
    const node = this.#nodes.get(path);
    const handle = this.#openFolder(open, parentOf(path));
    if (node === undefined || handle === undefined) return;
    try {
      const stat = handle.stat(baseOf(path));
      if (stat === undefined) return this.#vanish(path);
      const stamp = stampOf(stat);
      if (stamp !== node.stamp || !stat.isFile())
        return this.#lookAt(handle, baseOf(path), path, false, fresh);
      const hash = await hashFile(handle, baseOf(path), stamp);
      // Meanwhile we may have placed something there ourselves.
      if (this.#nodes.get(path)?.stamp !== stamp) return;
      if (hash === undefined) return this.#wait(path, this.#options.settle);
      const seen = inspect(handle, baseOf(path), path, stat, this.#options.owners);
      if (seen.kind === 'file') this.#put(path, { kind: 'settled', entry: { ...seen.entry, hash } }, stamp);
    } catch (error) {
      this.#put(path, { kind: 'unreadable', errno: errnoOf(error) }, '');
      this.#wait(path, UNREADABLE_RETRY);
    }
  }

  #put(path: string, state: PathState, stamp: Stamp): void {
    const before = this.#nodes.get(path);
    if (before && before.stamp === stamp && sameState(before.state, state)) return;
    this.#nodes.set(path, { state, stamp });
    this.#unsaved.add(path);
  }

  #drop(path: string): void {
    this.#due.delete(path);
    this.#nodes.delete(path);
    this.#unsaved.add(path);
  }

  #dropBelowUnlessFolder(path: string, state: PathState): void {
    if (state.kind !== 'settled' || state.entry.type !== 'folder') this.#dropBelow(path);
  }

  /** The path is no folder any more: nothing is below it. */
  #dropBelow(path: string): void {
    if (this.#nodes.namesIn(path).size === 0) return;
    for (const child of [...this.#nodes.below(path)]) this.#drop(child);
  }

  #unreadableAbove(path: string): string | undefined {
    for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) {
      const state = this.#nodes.get(folder)?.state;
      if (state?.kind === 'unreadable') return state.errno;
      if (state !== undefined) return undefined;
    }
    return undefined;
  }

  /** Only settled paths are remembered: the rest is looked at anew at the next start. */
  #save(): void {
    if (this.#unsaved.size === 0) return;
    const changes = new Map<string, { stamp: Stamp; entry: Entry } | undefined>();
    for (const path of this.#unsaved) {
      const node = this.#nodes.get(path);
      if (node === undefined) changes.set(path, undefined);
      else if (node.state.kind === 'settled')
        changes.set(path, { stamp: node.stamp, entry: node.state.entry });
    }
    this.#options.index.save(changes);
    this.#unsaved = new Set();
  }
}

function identityOf(stat: BigIntStats): string {
  return `${stat.dev}:${stat.ino}`;
}

function sameState(a: PathState, b: PathState): boolean {
  if (a.kind === 'settled' && b.kind === 'settled')
    return JSON.stringify(a.entry) === JSON.stringify(b.entry);
  return JSON.stringify(a) === JSON.stringify(b);
}
