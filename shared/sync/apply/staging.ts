import { closeSync, statfsSync } from 'node:fs';
import type { ChangeSet, Outcome, Staged, StagingResult, Step } from '#core/changeSet.ts';
import type { Entry, FileEntry } from '#core/manifest/entry.ts';
import { formatBytes } from '#core/text/size.ts';
import type { Folder } from '#host/fs/folder.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import type { ApplierOptions, Applying, OnCommit, Placed } from './applierOptions.ts';
import { CHANGED, commit } from './commit.ts';
import { makeOutcomesDurable, makePreparedDurable } from './durable.ts';
import { atOnce, type CutOff, finish } from './finish.ts';
import { trimPartial } from './partial.ts';
import { PrivateFolder } from './privateFolder.ts';
import { stageBare, StagedFile } from './stagedFile.ts';
import { stageWhole } from './stageWhole.ts';
import type { StagingThread } from './thread/stagingThread.ts';
import { isWorthThread, WholeFiles } from './thread/wholeFiles.ts';
import { openTrash, openTrashIfThere, removeStaged, removeTrashIfUnused } from './trashFolder.ts';
import { TrashList } from './trashIndex.ts';

const MIB = 1024 * 1024;
/** Less is written and hashed before another thread has started, bytes. */
const WORTH_THREAD = 16 * MIB;

/** Not enough free space; the change set has to be retried later. */
export class NoRoom extends Error {}

/** A change set in the making. */
export class Staging implements Disposable {
  readonly id: string;
  /** Bytes of content that are to be staged. */
  readonly #bytes: number;
  readonly #mds: string | undefined;
  readonly #options: Applying;
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
    options: Applying,
    shared: { cutOff: CutOff; onCutOff: () => void; resuming: Set<string> },
    bytes: number,
    mds?: string,
  ) {
    this.id = id;
    this.#bytes = bytes;
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

  /** Checks the room for what is staged later. @throws NoRoom */
  requireRoom(bytes: number): void {
    if (bytes > 0) checkRoom(this.#open.root, bytes, this.#options);
  }

  /** Aborted when the directory is being closed: a stop does not wait for what only prepares a change set. */
  get ending(): AbortSignal {
    return this.#options.ending;
  }

  /** @throws when the directory is being closed */
  throwIfEnding(): void {
    this.ending.throwIfAborted();
  }

  /** The open folder in which objects are staged. */
  get stage(): number {
    return this.#area.stage.fd;
  }

  /** A name in the staging area that is free. */
  newName(): string {
    return `${this.id}.${this.#next++}`;
  }

  /** Takes over what is staged. */
  keep({ name, inode }: Staged): void {
    this.#staged.set(name, inode);
  }

  /** Removes what another thread may have staged under a name before it ended. */
  removeUnfinished(name: string): void {
    try {
      if (this.#area.stage.stat(name) !== undefined) this.#area.stage.removeFile(name);
    } catch {
      // The next start removes it.
    }
  }

  /** Writes and hashes larger files, if it runs already or there is enough for it to do. */
  get thread(): StagingThread | undefined {
    const { thread } = this.#options.receiving ?? {};
    return this.#bytes >= WORTH_THREAD || thread?.isRunning === true ? thread : undefined;
  }

  /** Has small files staged in another thread, if there is one and these files are worth it. */
  inThread(files: readonly { readonly entry: FileEntry }[]): WholeFiles | undefined {
    const { thread } = this.#options.receiving ?? {};
    return thread !== undefined && isWorthThread(files) ? new WholeFiles(thread, this) : undefined;
  }

  /** Stages a file whose whole content is at hand, which takes fewer steps. An error of it is in the result. */
  whole(entry: FileEntry, content: Uint8Array): StagingResult {
    const result = stageWhole(this.#area.stage, this.newName(), content, entry);
    if (result.result === 'staged') this.keep(result.staged);
    return result;
  }

  file(): StagedFile {
    const name = this.newName();
    return this.#keepTrack(name, StagedFile.create(this.#area.stage, name));
  }

  /**
   * Stages a file that resumes an interrupted transfer of its content, and that is kept if this transfer is interrupted.
   * @throws Node's fs errors; or that the directory is being closed, while what is there is read
   */
  async resume({ hash }: FileEntry): Promise<StagedFile> {
    // The same content is being received by another transfer: two can't write to one file.
    if (this.#resuming.has(hash)) return this.file();
    this.#resuming.add(hash);
    this.#resumed.add(hash);
    const { partial, stage } = this.#area;
    trimPartial(partial, this.#resuming, this.#options.clock.now());
    const name = this.newName();
    return this.#keepTrack(
      name,
      await StagedFile.resume(partial, hash, { folder: stage, name }, this.ending),
    );
  }

  #keepTrack(name: string, file: StagedFile): StagedFile {
    this.#staged.set(name, file.inode);
    this.#files.add(file);
    return file;
  }

  bare(entry: Exclude<Entry, FileEntry>): Staged {
    const staged = stageBare(this.#area.stage, this.newName(), entry);
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
    const { directory, journal, clock, withLease = atOnce, ending, receiving } = this.#options;
    const lane = receiving?.lane;
    const mds = this.#mds;
    const changeSet: ChangeSet = { id: this.id, directory, steps, ...(mds !== undefined && { mds }) };
    const place = { open: this.#open, area: this.#area };
    // What fails again stays in the journal; its own commit has reported the error.
    await finish(this.#cutOff, this.#options, place);
    using trash = openTrash(this.#area, this.id, steps);
    if (trash.folder !== undefined) TrashList.write(trash.folder, changeSet, clock.now());
    await lane?.turn();
    await makePreparedDurable(this.#area, steps, trash.folder);
    await lane?.turn();
    journal.begin(changeSet);
    let touched: string[] = [];
    try {
      const outcomes = await withLease(() => {
        const done = commit(changeSet, { ...place, trash: trash.folder });
        const [placed, left] = [placedBy(done), leftBy(done)];
        touched = [...placed.map(([path]) => path), ...left];
        this.#options.events?.onPlaced(placed, left);
        return done;
      }, ending);
      await makeOutcomesDurable(this.#open, outcomes, trash.folder ? [trash.folder] : []);
      await lane?.turn();
      journal.end(this.id, () => record(changeSet, outcomes));
      // An object put where nothing was has left the staging area, and no displaced object took its name there.
      for (const { step, result } of outcomes)
        if (result === 'done' && step.kind === 'put' && step.expect === undefined)
          this.#staged.delete(step.staged.name);
      return { changeSet, outcomes };
    } catch (error) {
      this.#options.events?.onPlacedLost(touched);
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
}

function placedBy(outcomes: readonly Outcome[]): Placed[] {
  const placed: Placed[] = [];
  for (const { step, result, stamp } of outcomes)
    if (result === 'done' && step.kind !== 'remove' && step.kind !== 'keep' && stamp !== undefined)
      placed.push([
        step.path,
        stamp,
        stamp !== CHANGED && (step.kind === 'move' || step.expect === undefined),
      ]);
  return placed;
}

/** The names that files had. A folder has to be looked at, since its watch ends. */
function leftBy(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap(({ step, result }) => {
    if (result !== 'done') return [];
    if (step.kind === 'move') return [step.from];
    return step.kind === 'remove' && step.entry.type !== 'folder' ? [step.path] : [];
  });
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
