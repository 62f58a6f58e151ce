import { createHash } from 'node:crypto';
import { closeSync, readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { errnoOf } from '#host/fs/errno.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import type { Logger } from '#host/log/logger.ts';
import { type Entry, sameEntry } from '#core/manifest/entry.ts';
import { fileOf, type PathState } from '#core/manifest/pathState.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import { type Changes, lastKnownEntry } from '#sync/scan/pathIndex.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { Database } from '#sync/state/database.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import { SMALL } from './copyVersion.ts';
import type { FileToKeep } from './fileStore.ts';
import { MAX_KEPT_FILE, type Versions } from './versions.ts';

/** Most files that are read and stored before the event loop runs again. */
const AT_ONCE = 16;
/** Files other than dialplan are copied when nothing has changed for this long, milliseconds. */
const QUIET = 1_500;
/** The same for files that exist at a start, when delivery has the most to do. */
const AT_START = 5_000;
/** A large file is copied a millisecond later for each of these bytes, so that every MDS has its change first. */
const BYTES_PER_QUIET_MS = 16 * 1024;
/** Longest wait for quiet, milliseconds: where something always changes or is delivered, there are copies all the same. */
const MOST_WAIT = 60_000;
/** Most small files that are copied before a rest, and the time after which it comes in any case, milliseconds. */
const FILES_AT_ONCE = 64;
const MOST_WORK = 50;
/** After so many files in a row that can't be copied, the others are left to the next start: it is the disk, not a file. */
const MOST_FAILED = 16;
/** Longest rest after a copy, milliseconds: a disk that hung for an hour may do better now. */
const MOST_REST = 60_000;

export type DirectoryVersionsOptions = {
  readonly directory: string;
  readonly replica: Replica;
  readonly versions: Versions;
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Records the changes of one directory on Main, and keeps the contents of its files. */
export class DirectoryVersions {
  readonly #options: DirectoryVersionsOptions;
  /** Paths that existed before the first scan and are not recorded yet; finding them is not a change. */
  #beginning: 'all' | Set<string>;
  /** Only paths that exist: where something always changes, it may take days until it is quiet. */
  readonly #toKeep = new Set<string>();
  #keeping: Promise<void> | undefined;
  #quietUntil = 0;
  #deliveries = 0;
  /** Since when there has always been a file to copy, monotonic milliseconds. */
  #waitsSince: number | undefined;
  readonly #stop = new AbortController();
  #closed = false;

  constructor(options: DirectoryVersionsOptions) {
    this.#options = options;
    const [known] = options.replica.paths();
    this.#beginning = known === undefined ? 'all' : new Set();
  }

  /** Called after the first scan since the start. */
  scanned(): void {
    const { replica } = this.#options;
    if (this.#beginning === 'all') this.#beginning = new Set(notRecorded(replica));
    // Includes files left by an older program, or by a crash.
    this.keep(replica.paths(), AT_START);
  }

  /**
   * Records changes, in the transaction of their revision.
   * @param save the id by which they can be rolled back together; undefined while they are still being written
   */
  note(changes: Changes, save: string | undefined): void {
    const { versions, directory } = this.#options;
    const { newest } = versions.log;
    for (const [path, { before, after }] of changes) this.#note(path, before, after);
    if (save !== undefined && versions.log.newest > newest)
      versions.appliedRevisions.place(directory, save, newest + 1);
  }

  /** Content is being delivered, which comes first: until this is disposed of, and for a moment then, copies wait. */
  delivering(): Disposable {
    this.#deliveries += 1;
    return {
      [Symbol.dispose]: () => {
        this.#deliveries -= 1;
        this.#disturbed();
      },
    };
  }

  /** Something came that is done before copies. @param quiet how long they wait, milliseconds */
  #disturbed(quiet = QUIET): void {
    this.#quietUntil = Math.max(this.#quietUntil, this.#options.clock.monotonic() + quiet);
  }

  /** Schedules keeping the contents of these files. */
  keep(paths: Iterable<string>, quiet = QUIET): void {
    const { replica, versions, directory, clock } = this.#options;
    for (const path of paths) {
      if (replica.get(path) === undefined) this.#toKeep.delete(path);
      else this.#toKeep.add(path);
    }
    if (this.#toKeep.size === 0 || this.#closed) return;
    if (versions.isCompact(directory)) this.#keeping ??= this.#keepAll();
    else {
      // Delivery comes first, so copies are made when the directory has been quiet for a moment.
      this.#disturbed(quiet);
      this.#waitsSince ??= clock.monotonic();
      this.#keeping ??= this.#keepFiles();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stop.abort();
    await this.#keeping;
  }

  #note(path: string, before: Entry | undefined, after: PathState | undefined): void {
    const { directory, versions, clock } = this.#options;
    const last = versions.log.newestOf(directory, path);
    // After a start or an unreadable period, the log is more reliable than memory.
    const known = last ? last.after : (before ?? null);
    if (after?.kind === 'unreadable') {
      // Its current content is unknown; its earlier content must not be dropped for that.
      if (last === undefined && known !== null)
        versions.log.append(directory, path, known, known, clock.now());
      return;
    }
    const now = lastKnownEntry(after) ?? null;
    if (after?.kind === 'moving' && now === null) return;
    if ((before === undefined && this.#wasThere(path)) || same(known, now)) return;
    versions.log.append(directory, path, known, now, clock.now());
  }

  #wasThere(path: string): boolean {
    return this.#beginning === 'all' || this.#beginning.delete(path);
  }

  async #keepAll(): Promise<void> {
    await setImmediate();
    try {
      while (this.#toKeep.size > 0 && !this.#closed) {
        this.#keepSome(this.#toKeep.values().take(AT_ONCE).toArray());
        await setImmediate();
      }
    } catch (error) {
      this.#toKeep.clear();
      this.#options.log.warn('older versions can not be kept', { error });
    } finally {
      this.#keeping = undefined;
    }
  }

  async #keepFiles(): Promise<void> {
    const { versions, directory, clock, log } = this.#options;
    let failedInARow = 0;
    try {
      while (this.#toKeep.size > 0) {
        await this.#whenQuiet();
        if (this.#closed) return;
        const startedAt = clock.monotonic();
        const isEnough = (): boolean => clock.monotonic() - startedAt >= MOST_WORK;
        const files = this.#takeFiles();
        const { looked, failed } = await versions.files.keep(directory, files, isEnough, this.#stop.signal);
        for (const { path } of files.slice(looked)) this.#toKeep.add(path);
        for (const { path, error } of failed) log.warn('an older version can not be kept', { path, error });
        failedInARow = failed.length < looked ? 0 : failedInARow + failed.length;
        if (failedInARow >= MOST_FAILED) throw failed[0]?.error;
        if (this.#toKeep.size === 0) this.#waitsSince = undefined;
        // Uses at most a quarter of the time, since delivery needs the disk, too.
        await pause(clock, Math.min(MOST_REST, 3 * (clock.monotonic() - startedAt)), this.#stop.signal);
      }
    } catch (error) {
      this.#toKeep.clear();
      log.warn('older versions can not be kept', { error });
    } finally {
      this.#keeping = undefined;
      this.#waitsSince = undefined;
    }
  }

  /** Takes the next files: a large one alone, or small ones. */
  #takeFiles(): FileToKeep[] {
    const { replica } = this.#options;
    const files: FileToKeep[] = [];
    for (const path of this.#toKeep) {
      const entry = fileOf(replica.get(path));
      if (files.length > 0 && entry !== undefined && entry.size > SMALL) break;
      this.#toKeep.delete(path);
      const stamp = replica.stampAt(path);
      if (stamp === undefined || entry === undefined) continue;
      const { hash, size } = entry;
      files.push({ path, hash, size, stamp });
      if (size > SMALL || files.length >= FILES_AT_ONCE) break;
    }
    return files;
  }

  /** For how much longer than usual it has to be quiet, for the file that is copied next; milliseconds. */
  #extraQuiet(): number {
    for (const path of this.#toKeep) {
      const file = fileOf(this.#options.replica.get(path));
      if (file !== undefined) return Math.floor(file.size / BYTES_PER_QUIET_MS);
    }
    return 0;
  }

  /** Waits until the directory has been quiet, or something has been waiting for a minute; ends early on close. */
  async #whenQuiet(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    for (;;) {
      if (this.#deliveries > 0) this.#disturbed();
      const latest = (this.#waitsSince ?? clock.monotonic()) + MOST_WAIT;
      // What settles meanwhile may come first, and be large.
      const wait = Math.min(this.#quietUntil, latest) + this.#extraQuiet() - clock.monotonic();
      if (wait <= 0 || signal.aborted) return;
      await pause(clock, wait, signal);
    }
  }

  #keepSome(paths: readonly string[]): void {
    const { replica, versions, db } = this.#options;
    for (const path of paths) this.#toKeep.delete(path);
    const missing = paths.flatMap((path) => {
      const entry = fileOf(replica.get(path));
      const wanted = entry && entry.size <= MAX_KEPT_FILE && !versions.contents.has(entry.hash);
      return wanted ? [{ path, hash: entry.hash }] : [];
    });
    if (missing.length === 0) return;
    using open = new OpenFolders(replica.path);
    db.transaction(() => {
      for (const { path, hash } of missing) {
        const content = contentOf(open, path, hash);
        if (content !== undefined && versions.makeRoom()) versions.contents.keep(hash, content);
      }
    });
  }
}

/** @returns undefined when the file has changed, in which case a new version follows */
function contentOf(open: OpenFolders, path: string, hash: string): Buffer | undefined {
  let fd: number;
  try {
    fd = open.get(parentOf(path)).openFile(baseOf(path));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return undefined;
    throw error;
  }
  try {
    const content = readFileSync(fd);
    return createHash('sha256').update(content).digest('hex') === hash ? content : undefined;
  } finally {
    closeSync(fd);
  }
}

/** The paths whose first entry is still to be handed out. */
function notRecorded(replica: Replica): string[] {
  const isAny = replica.index.haveChanges;
  return [...replica.paths()].filter((path) => isAny || lastKnownEntry(replica.get(path)) === undefined);
}

function same(a: Entry | null, b: Entry | null): boolean {
  return a === null || b === null ? a === b : sameEntry(a, b);
}
