import type { FileEntry } from '#core/manifest/entry.ts';
import type { Sink } from '../../transfer/unpack.ts';
import type { Staged } from '#core/changeSet.ts';
import type { StagingResult } from '#core/changeSet.ts';
import { BLOCK_BYTES, type WholeFile } from './messages.ts';
import type { Block } from './runningThread.ts';
import type { LentThread, StagingThread } from './stagingThread.ts';

/** Fewer files are staged quicker than a thread is started. */
const WORTHWHILE = 400;

/** The change set in the making to which the files belong. */
export interface StagingArea {
  /** The open folder in which objects are staged. */
  readonly stage: number;
  /** A name there that is free. */
  newName(): string;
  /** Takes over what was staged. */
  keep(staged: Staged): void;
  /** Removes what may have been staged under a name before the thread ended. */
  removeUnfinished(name: string): void;
}

type OnResult = (result: StagingResult) => void;

/** True for files whose staging in another thread pays. */
export function isWorthThread(files: readonly { readonly entry: FileEntry }[]): boolean {
  return files.filter(({ entry }) => isWhole(entry)).length >= WORTHWHILE;
}

/** True for a file that fits into a block. */
export function isWhole({ size }: FileEntry): boolean {
  return size <= BLOCK_BYTES;
}

/**
 * Small files of one change set that another thread stages: their contents are collected in blocks. Files are taken one
 * after the other.
 */
export class WholeFiles implements AsyncDisposable {
  readonly #lent: LentThread;
  readonly #staging: StagingArea;
  #block: Block | undefined;
  /** Bytes of complete files in the block. */
  #filled = 0;
  #files: Collected[] = [];
  readonly #asked: Promise<void>[] = [];
  /** The blocks that the thread has. */
  readonly #inThread = new Set<Block>();
  #failure: { readonly error: unknown } | undefined;

  constructor(thread: StagingThread, staging: StagingArea) {
    this.#lent = thread.lend();
    this.#staging = staging;
  }

  /** @param onResult called once the thread has staged the file, before `end` resolves */
  sink(entry: FileEntry, onResult: OnResult): Sink {
    const at = { start: -1, length: 0 };
    const put = (bytes: Uint8Array): void => {
      this.#begin(at);
      this.#block?.bytes.set(bytes, at.start + at.length);
      at.length += bytes.length;
    };
    const finish = (): void => {
      this.#begin(at);
      this.#files.push({ name: this.#staging.newName(), at: at.start, entry, onResult });
      this.#filled = at.start + at.length;
    };
    const withRoom = (work: () => void): Promise<void> | void =>
      at.start >= 0 || this.#hasRoom(entry.size) ? work() : this.#nextBlock().then(work);
    return {
      write: (bytes) => withRoom(() => put(bytes)),
      end: () => withRoom(finish),
      refuse: (why) => onResult({ result: 'stale', why }),
    };
  }

  /** Resolves when all are staged. @throws when the thread ended before that */
  async end(): Promise<void> {
    this.#send();
    await Promise.all(this.#asked);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Gives up what is not staged yet, and waits until the thread has done with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const block of this.#inThread) this.#lent.thread.giveUp(block);
    await Promise.all(this.#asked);
    if (this.#block !== undefined) this.#lent.thread.giveBack(this.#block);
    this.#block = undefined;
    this.#lent[Symbol.dispose]();
  }

  #begin(at: { start: number }): void {
    if (at.start < 0) at.start = this.#filled;
  }

  #hasRoom(bytes: number): boolean {
    return this.#block !== undefined && this.#filled + bytes <= BLOCK_BYTES;
  }

  async #nextBlock(): Promise<void> {
    this.#send();
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#block ??= await this.#lent.thread.take();
  }

  #send(): void {
    const [block, files] = [this.#block, this.#files];
    if (block === undefined || files.length === 0) return;
    this.#block = undefined;
    this.#files = [];
    this.#filled = 0;
    this.#asked.push(this.#stage(block, files));
  }

  async #stage(block: Block, files: readonly Collected[]): Promise<void> {
    const asked = files.map(({ name, at, entry }) => ({ name, at, entry }));
    this.#inThread.add(block);
    try {
      const results = await this.#lent.thread.stage(this.#staging.stage, block, asked);
      for (const [number, result] of results.entries()) {
        if (result.result === 'staged') this.#staging.keep(result.staged);
        files[number]?.onResult(result);
      }
    } catch (error) {
      this.#failure ??= { error };
      for (const { name } of files) this.#staging.removeUnfinished(name);
    } finally {
      this.#inThread.delete(block);
    }
  }
}

type Collected = WholeFile & { readonly onResult: OnResult };
