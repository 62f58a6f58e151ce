import { randomBytes } from 'node:crypto';
import { closeSync, statfsSync } from 'node:fs';
import { formatBytes } from '#core/text/size.ts';
import type { Folder } from '#host/fs/folder.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import type { Entry, FileEntry } from '#core/manifest/entry.ts';
import type { Journal } from '../state/changeSetJournal.ts';
import type { Clock } from '#host/time/clock.ts';
import { TrashList } from './trashIndex.ts';
import { PrivateFolder } from './privateFolder.ts';
import { type ChangeSet, changeSetId, type Outcome, type Staged, type Step } from '#core/changeSet.ts';
import { commit } from './commit.ts';
import { makeOutcomesDurable, makePreparedDurable } from './durable.ts';
import { recover } from './recover.ts';
import { partialBytes, RESUMABLE, totalPartialBytes, trimPartial } from './partial.ts';
import { stageBare, StagedFile } from './stagedFile.ts';
import { clearStage, openTrash, openTrashIfThere, removeStaged, removeTrashIfUnused } from './trashFolder.ts';

/** Writes a finished change set into ledger and history, inside the transaction that ends its journal entry. */
export type OnCommit = (changeSet: ChangeSet, outcomes: readonly Outcome[]) => void;

export type ApplierOptions = {
  readonly directory: string;
  /** Absolute path of the synchronised directory. */
  readonly path: string;
  readonly journal: Journal;
  readonly clock: Clock;
  /** Free bytes that must remain on the file system. */
  readonly reserve: number;
  /** From this size on, the received part of an interrupted transfer is kept, bytes; {@link RESUMABLE} when absent. */
  readonly resumableFrom?: number | undefined;
  /**
   * Calls `show`, which makes a change set visible in one go, while no program is reading the directory as a whole. When
   * absent, `show` is called at once.
   */
  readonly withLease?: <T>(show: () => T) => Promise<T>;
  /** Called synchronously when paths became visible, before the watch can report them. */
  readonly onPlaced?: (placed: readonly (readonly [path: string, stamp: Stamp])[]) => void;
  /** Called when the placed paths could not be recorded in the state. */
  readonly onPlacedLost?: (paths: readonly string[]) => void;
  /** Called when a change set that was visible but not recorded has been recorded. */
  readonly onFinished?: () => void;
};

/** Delay before recording a visible change set is retried, milliseconds. */
const FINISH_RETRY = 5_000;
const MIB = 1024 * 1024;

/** Not enough free space; the change set has to be retried later. */
export class NoRoom extends Error {}

/** Applies change sets to one synchronised directory: stage, make durable, journal, make visible, record. */
export class Applier {
  readonly #options: ApplierOptions;
  readonly #cutOff: CutOff = new Map();
  #finishing: NodeJS.Timeout | undefined;
  #closed = false;
  /** Hashes of resumable contents that are being received. */
  readonly #resuming = new Set<string>();
  #number = 0;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** From this size on, an interrupted transfer is resumed and the file is sent alone, bytes. */
  get resumableFrom(): number {
    return this.#options.resumableFrom ?? RESUMABLE;
  }

  /**
   * Starts a change set.
   * @param bytes size of what is to be staged
   * @param mds on Main: the MDS that causes it, if one does
   * @throws NoRoom, or Node's fs errors when the directory can't be written
   */
  begin(bytes: number, mds?: string): Staging {
    const id = changeSetId(this.#options.clock.now(), `${randomBytes(4).toString('hex')}${this.#number++}`);
    const onCutOff = (): void => this.#finishLater();
    return new Staging(
      id,
      this.#options,
      { cutOff: this.#cutOff, onCutOff, resuming: this.#resuming },
      bytes,
      mds,
    );
  }

  /** Stops the retries; the next start finishes open change sets. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#finishing);
  }

  /** Resume offset: bytes of a content left by an interrupted transfer; 0 while it is being received. @throws when the directory can't be opened */
  resumeOffset(hash: string): number {
    return this.#resuming.has(hash) ? 0 : this.#withPartial((partial) => partialBytes(partial, hash));
  }

  /** Bytes of all contents left by interrupted transfers. @throws when the directory can't be opened */
  totalPartialBytes(): number {
    return this.#withPartial(totalPartialBytes);
  }

  #withPartial<T>(work: (partial: Folder) => T): T {
    using open = new OpenFolders(this.#options.path);
    using area = new PrivateFolder(open.root);
    return work(area.partial);
  }

  /**
   * Recovers from a crash: finishes journalled change sets and removes what was only staged.
   * @throws the first error of a change set that could not be finished; it is retried later
   */
  async recover(record: OnCommit): Promise<Outcome[]> {
    const { path, directory, journal } = this.#options;
    using open = new OpenFolders(path);
    using area = new PrivateFolder(open.root);
    for (const changeSet of journal.open(directory)) this.#cutOff.set(changeSet.id, { changeSet, record });
    const ended = await finish(this.#cutOff, this.#options, { open, area });
    clearStage(area, new Set(this.#cutOff.keys()));
    this.#finishLater();
    if (ended.error !== undefined) throw ended.error;
    return ended.outcomes;
  }

  /** Schedules a retry, since there may be no further commit that would finish them. */
  #finishLater(): void {
    if (this.#cutOff.size === 0 || this.#closed) return;
    this.#finishing ??= setTimeout(() => void this.#finish(), FINISH_RETRY).unref();
  }

  async #finish(): Promise<void> {
    this.#finishing = undefined;
    const before = this.#cutOff.size;
    try {
      using open = new OpenFolders(this.#options.path);
      using area = new PrivateFolder(open.root);
      await finish(this.#cutOff, this.#options, { open, area });
    } catch {
      // The directory can't be opened; the replica reports that.
    }
    if (this.#cutOff.size < before) this.#options.onFinished?.();
    this.#finishLater();
  }
}

/** Journalled change sets that are not finished, by id. */
type CutOff = Map<string, { readonly changeSet: ChangeSet; readonly record: OnCommit }>;

/** Finishes interrupted change sets independently: a failure of one does not affect the others. */
async function finish(
  cutOff: CutOff,
  options: ApplierOptions,
  { open, area }: { open: OpenFolders; area: PrivateFolder },
): Promise<{ outcomes: Outcome[]; error?: unknown }> {
  const { journal, withLease = atOnce } = options;
  const outcomes: Outcome[] = [];
  let failure: { error: unknown } | undefined;
  for (const [id, entry] of [...cutOff]) {
    // Removed first, since two commits may run concurrently.
    if (!cutOff.delete(id)) continue;
    const { changeSet, record } = entry;
    try {
      using trash = openTrash(area, id, changeSet.steps);
      const ended = await withLease(() => recover(changeSet, { open, area, trash: trash.folder }));
      await makeOutcomesDurable(open, ended, [area.stage, ...(trash.folder ? [trash.folder] : [])]);
      journal.end(id, () => record(changeSet, ended));
      outcomes.push(...ended);
    } catch (error) {
      cutOff.set(id, entry);
      failure ??= { error };
    }
  }
  return { outcomes, ...failure };
}

/** A change set in the making. */
export class Staging implements Disposable {
  readonly id: string;
  readonly #mds: string | undefined;
  readonly #options: ApplierOptions;
  readonly #open: OpenFolders;
  readonly #area: PrivateFolder;
  readonly #cutOff: CutOff;
  readonly #onCutOff: () => void;
  readonly #resuming: Set<string>;
  readonly #resumed = new Set<string>();
  /** Inodes of the staged objects, by name. */
  readonly #staged = new Map<string, string>();
  /** Files that may still be open, because their archive was interrupted. */
  readonly #files = new Set<StagedFile>();
  #next = 0;

  constructor(
    id: string,
    options: ApplierOptions,
    shared: { cutOff: CutOff; onCutOff: () => void; resuming: Set<string> },
    bytes: number,
    mds?: string,
  ) {
    this.id = id;
    this.#mds = mds;
    this.#options = options;
    this.#cutOff = shared.cutOff;
    this.#onCutOff = shared.onCutOff;
    this.#resuming = shared.resuming;
    this.#open = new OpenFolders(options.path);
    try {
      checkRoom(this.#open.root, bytes, options);
      this.#area = new PrivateFolder(this.#open.root);
    } catch (error) {
      this.#open[Symbol.dispose]();
      throw error;
    }
  }

  file(): StagedFile {
    const name = this.#nextName();
    return this.#keepTrack(name, StagedFile.create(this.#area.stage, name));
  }

  /**
   * Stages a file that resumes an interrupted transfer of its content, and that is kept if this transfer is interrupted.
   * @throws Node's fs errors
   */
  async resume({ hash }: FileEntry): Promise<StagedFile> {
    // The same content is being received by another transfer: two can't write to one file.
    if (this.#resuming.has(hash)) return this.file();
    this.#resuming.add(hash);
    this.#resumed.add(hash);
    const { partial, stage } = this.#area;
    trimPartial(partial, this.#resuming, this.#options.clock.now());
    const name = this.#nextName();
    return this.#keepTrack(name, await StagedFile.resume(partial, hash, { folder: stage, name }));
  }

  #keepTrack(name: string, file: StagedFile): StagedFile {
    this.#staged.set(name, file.inode);
    this.#files.add(file);
    return file;
  }

  bare(entry: Exclude<Entry, FileEntry>): Staged {
    const staged = stageBare(this.#area.stage, this.#nextName(), entry);
    this.#staged.set(staged.name, staged.inode);
    return staged;
  }

  /** Calls `look` with an open handle of a staged file. */
  withFile<T>(staged: Staged, look: (fd: number) => T): T {
    const fd = this.#area.stage.openFile(staged.name);
    try {
      return look(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Calls `work` with the trash folder of an earlier change set; undefined when that displaced nothing. */
  withTrashOf<T>(id: string, work: (trash: Folder | undefined) => T): T {
    using trash = openTrashIfThere(this.#area, id);
    return work(trash.folder);
  }

  /**
   * Makes the steps visible together.
   * @throws before anything is visible when the set could not be made durable or journalled; afterwards when it could not
   *   be recorded, which is retried later and at the next start
   */
  async commit(
    steps: readonly Step[],
    record: OnCommit,
  ): Promise<{ changeSet: ChangeSet; outcomes: Outcome[] }> {
    const { directory, journal, clock, withLease = atOnce } = this.#options;
    const mds = this.#mds;
    const changeSet: ChangeSet = { id: this.id, directory, steps, ...(mds !== undefined && { mds }) };
    const place = { open: this.#open, area: this.#area };
    // What fails again stays in the journal; its own commit has reported the error.
    await finish(this.#cutOff, this.#options, place);
    using trash = openTrash(this.#area, this.id, steps);
    if (trash.folder !== undefined) TrashList.write(trash.folder, changeSet, clock.now());
    await makePreparedDurable(this.#area, steps, trash.folder);
    journal.begin(changeSet);
    let placed: (readonly [string, Stamp])[] = [];
    try {
      const outcomes = await withLease(() => {
        const done = commit(changeSet, { ...place, trash: trash.folder });
        placed = placedBy(done);
        this.#options.onPlaced?.(placed);
        return done;
      });
      await makeOutcomesDurable(this.#open, outcomes, trash.folder ? [trash.folder] : []);
      journal.end(this.id, () => record(changeSet, outcomes));
      // An object put where nothing was has left the staging area, and no displaced object took its name there.
      for (const { step, result } of outcomes)
        if (result === 'done' && step.kind === 'put' && step.expect === undefined)
          this.#staged.delete(step.staged.name);
      return { changeSet, outcomes };
    } catch (error) {
      this.#options.onPlacedLost?.(placed.map(([path]) => path));
      this.#cutOff.set(this.id, { changeSet, record });
      this.#onCutOff();
      throw error;
    }
  }

  /** Removes staged objects that did not become visible. */
  [Symbol.dispose](): void {
    try {
      for (const file of this.#files) file.suspend();
      for (const hash of this.#resumed) this.#resuming.delete(hash);
      for (const [name, inode] of this.#staged) removeStaged(this.#area, { name, inode });
      const displaced = [...this.#staged.keys()].some((name) => this.#area.stage.stat(name) !== undefined);
      // The trash's list is the only record of displaced objects that are still in the staging area.
      if (!displaced && !this.#cutOff.has(this.id)) removeTrashIfUnused(this.#area, this.id);
    } finally {
      this.#area[Symbol.dispose]();
      this.#open[Symbol.dispose]();
    }
  }

  #nextName(): string {
    return `${this.id}.${this.#next++}`;
  }
}

function placedBy(outcomes: readonly Outcome[]): (readonly [string, Stamp])[] {
  return outcomes.flatMap(({ step, result, stamp }) =>
    result === 'done' && (step.kind === 'put' || step.kind === 'move') && stamp !== undefined
      ? [[step.path, stamp] as const]
      : [],
  );
}

function atOnce<T>(show: () => T): Promise<T> {
  return Promise.resolve(show());
}

function checkRoom(root: Folder, bytes: number, { path, reserve }: ApplierOptions): void {
  // RACE: other programs fill the disk after this check. Worst case: writing ends with ENOSPC, nothing of the set becomes
  // visible, and it is retried.
  const { bavail, bsize } = statfsSync(`/proc/self/fd/${root.fd}`);
  const free = bavail * bsize;
  const short = bytes + reserve - free;
  if (short > 0) {
    throw new NoRoom(
      `no room in ${path}: free ${Math.ceil(short / MIB)} MiB there (${formatBytes(bytes)} needed, ${formatBytes(free)} free, of which ${formatBytes(reserve)} stay in reserve)`,
    );
  }
}
