import { randomBytes } from 'node:crypto';
import { changeSetId, type Outcome } from '#core/changeSet.ts';
import type { Folder } from '#host/fs/folder.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { Tasks } from '#host/process/tasks.ts';
import type { ApplierOptions, Applying, OnCommit } from './applierOptions.ts';
import { type CutOff, finish } from './finish.ts';
import { partialBytes, RESUMABLE, totalPartialBytes } from './partial.ts';
import { PrivateFolder } from './privateFolder.ts';
import { Staging } from './staging.ts';
import { clearStage } from './trashFolder.ts';

/** Delay before recording a visible change set is retried, milliseconds. */
const FINISH_RETRY = 5_000;

/** Applies change sets to one synchronised directory: stage, make durable, journal, make visible, record. */
export class Applier {
  readonly #options: Applying;
  readonly #cutOff: CutOff = new Map();
  #cancelFinishing: (() => void) | undefined;
  readonly #finishing: Tasks;
  readonly #end = new AbortController();
  /** Hashes of resumable contents that are being received. */
  readonly #resuming = new Set<string>();
  #number = 0;

  constructor(options: ApplierOptions) {
    this.#options = { ...options, ending: this.#end.signal };
    // Whatever goes wrong there is tried again, and the replica reports a directory that can't be opened.
    this.#finishing = new Tasks(() => this.#finishLater());
  }

  /** From this size on, an interrupted transfer is resumed and the file is sent alone, bytes. */
  get resumableFrom(): number {
    return this.#options.receiving?.resumableFrom ?? RESUMABLE;
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

  /** Stops the retries, and gives up what is being staged; a change set that is being made visible is completed. */
  end(): void {
    this.#end.abort(new Error('the directory is being closed'));
    this.#cancelFinishing?.();
  }

  /** The same, and resolves when no retry is running; the next start finishes open change sets. */
  async close(): Promise<void> {
    this.end();
    await this.#finishing.ended();
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
    if (this.#cutOff.size === 0 || this.#end.signal.aborted) return;
    this.#cancelFinishing ??= this.#options.clock.after(FINISH_RETRY, () =>
      this.#finishing.run('finishing change sets', () => this.#finish()),
    );
  }

  async #finish(): Promise<void> {
    this.#cancelFinishing = undefined;
    const before = this.#cutOff.size;
    try {
      using open = new OpenFolders(this.#options.path);
      using area = new PrivateFolder(open.root);
      await finish(this.#cutOff, this.#options, { open, area });
    } catch {
      // The directory can't be opened; the replica reports that.
    }
    if (this.#cutOff.size < before) this.#options.events?.onFinished();
    this.#finishLater();
  }
}
