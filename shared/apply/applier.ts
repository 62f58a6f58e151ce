import { randomBytes } from 'node:crypto';
import { closeSync, readFileSync, statfsSync } from 'node:fs';
import { errnoOf } from '../disk/errno.ts';
import { Folder } from '../disk/folder.ts';
import { OpenFolders } from '../disk/openFolders.ts';
import type { Entry, FileEntry } from '../manifest/entry.ts';
import { parentOf } from '../paths/relative.ts';
import type { Journal } from '../state/journal.ts';
import type { Clock } from '../time/clock.ts';
import { TrashList } from '../trash/trashList.ts';
import { Area } from './area.ts';
import { type ChangeSet, changeSetId, type Outcome, type Staged, type Step } from './changeSet.ts';
import { commit } from './commit.ts';
import { makeDurable, makeFoldersDurable } from './durable.ts';
import { recover } from './recover.ts';
import { stageBare, StagedFile } from './stage.ts';

/** Writes what a finished change set means into ledger and history, inside the transaction that ends it. */
export type Record = (changeSet: ChangeSet, outcomes: readonly Outcome[]) => void;

export type ApplierOptions = {
  readonly directory: string;
  /** Absolute path of the synchronised directory. */
  readonly path: string;
  readonly journal: Journal;
  readonly clock: Clock;
  /** Free bytes that must remain on the file system. */
  readonly reserve: number;
};

/** Not enough room: the change set is to be tried again later. */
export class NoRoom extends Error {}

/** Puts change sets into one synchronised directory: stage, make durable, journal, make visible, record. */
export class Applier {
  readonly #options: ApplierOptions;
  #number = 0;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Starts a change set. @throws NoRoom, or what Node's fs throws when the directory can't be written */
  begin(bytes: number): Staging {
    const id = changeSetId(this.#options.clock.now(), `${randomBytes(4).toString('hex')}${this.#number++}`);
    return new Staging(id, this.#options, bytes);
  }

  /** Ends what a crash left: finishes journalled change sets, removes what was only staged. */
  async recover(record: Record): Promise<Outcome[]> {
    using open = new OpenFolders(this.#options.path);
    using area = new Area(open.root);
    const outcomes: Outcome[] = [];
    for (const changeSet of this.#options.journal.open(this.#options.directory)) {
      using trash = openTrash(area, changeSet.id);
      const ended = recover(changeSet, { open, area, trash: trash.folder });
      await makeFoldersDurable(touched(open, ended), area.stage);
      this.#options.journal.end(changeSet.id, () => record(changeSet, ended));
      outcomes.push(...ended);
    }
    for (const name of area.stage.list()) removeStaged(area.stage, name);
    return outcomes;
  }
}

/** A change set in the making. */
export class Staging implements Disposable {
  readonly id: string;
  readonly #options: ApplierOptions;
  readonly #open: OpenFolders;
  readonly #area: Area;
  readonly #names = new Set<string>();
  #next = 0;

  constructor(id: string, options: ApplierOptions, bytes: number) {
    this.id = id;
    this.#options = options;
    this.#open = new OpenFolders(options.path);
    try {
      checkRoom(this.#open.root, bytes, options.reserve);
      this.#area = new Area(this.#open.root);
    } catch (error) {
      this.#open[Symbol.dispose]();
      throw error;
    }
  }

  file(): StagedFile {
    return new StagedFile(this.#area.stage, this.#nextName());
  }

  bare(entry: Exclude<Entry, FileEntry>): Staged {
    return stageBare(this.#area.stage, this.#nextName(), entry);
  }

  /** The content of a staged file. */
  read(staged: Staged): Buffer {
    const fd = this.#area.stage.openFile(staged.name);
    try {
      return readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Looks into the trash of an earlier change set; it is empty when that displaced nothing. */
  withTrashOf<T>(id: string, work: (trash: Folder) => T): T {
    using trash = openTrash(this.#area, id);
    return work(trash.folder);
  }

  /**
   * Makes the steps visible together.
   * @throws when nothing could be made durable; then nothing is visible
   */
  async commit(
    steps: readonly Step[],
    record: Record,
  ): Promise<{ changeSet: ChangeSet; outcomes: Outcome[] }> {
    const changeSet: ChangeSet = { id: this.id, directory: this.#options.directory, steps };
    const files = steps.flatMap((step) =>
      'staged' in step && step.entry.type === 'file' ? [step.staged.name] : [],
    );
    using trash = openTrash(this.#area, this.id);
    TrashList.write(trash.folder, changeSet, this.#options.clock.now());
    await makeDurable(this.#area.stage, files);
    this.#options.journal.begin(changeSet);
    const outcomes = commit(changeSet, { open: this.#open, area: this.#area, trash: trash.folder });
    await makeFoldersDurable([...touched(this.#open, outcomes), trash.folder], this.#area.stage);
    this.#options.journal.end(this.id, () => record(changeSet, outcomes));
    return { changeSet, outcomes };
  }

  /** Removes what was staged and did not become visible. */
  [Symbol.dispose](): void {
    try {
      for (const name of this.#names) removeStaged(this.#area.stage, name);
      removeTrashIfUnused(this.#area, this.id);
    } finally {
      this.#area[Symbol.dispose]();
      this.#open[Symbol.dispose]();
    }
  }

  #nextName(): string {
    const name = `${this.id}.${this.#next++}`;
    this.#names.add(name);
    return name;
  }
}

function checkRoom(root: Folder, bytes: number, reserve: number): void {
  const { bavail, bsize } = statfsSync(`/proc/self/fd/${root.fd}`);
  const free = bavail * bsize;
  if (free - bytes < reserve) {
    throw new NoRoom(
      `no room: ${bytes} bytes are needed, ${free} are free and ${reserve} are kept in reserve`,
    );
  }
}

function openTrash(area: Area, id: string): { folder: Folder } & Disposable {
  try {
    area.trash.makeFolder(id, 0o700);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const folder = area.trash.open(id);
  return { folder, [Symbol.dispose]: () => folder.close() };
}

/** A change set that displaced nothing leaves no trash behind. */
function removeTrashIfUnused(area: Area, id: string): void {
  if (area.trash.stat(id) === undefined) return;
  const folder = area.trash.open(id);
  try {
    const names = folder.list();
    if (names.some((name) => name !== TrashList.fileName)) return;
    for (const name of names) folder.removeFile(name);
  } finally {
    folder.close();
  }
  area.trash.removeFolder(id);
}

function removeStaged(stage: Folder, name: string): void {
  const stat = stage.stat(name);
  if (stat === undefined) return;
  if (!stat.isDirectory()) return stage.removeFile(name);
  stage.removeFolder(name);
}

/** The folders whose names changed. */
function touched(open: OpenFolders, outcomes: readonly Outcome[]): Folder[] {
  const folders = new Map<string, Folder>();
  for (const { step, result } of outcomes) {
    if (result !== 'done' || step.kind === 'keep') continue;
    const path = parentOf(step.path);
    if (folders.has(path)) continue;
    try {
      folders.set(path, open.get(path));
    } catch {
      // Removed by a later step of the same change set: its own parent is in the list.
    }
  }
  return [...folders.values()];
}
