import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import {
  BLOCK_BYTES,
  BLOCKS,
  type EndRequest,
  type HashRequest,
  type Request,
  type StageAnswer,
  type StageRequest,
  type ThreadStart,
  type WholeFile,
  type PieceAnswer,
  type WriteRequest,
} from './messages.ts';

/** The worker's file, beside this one: the bundle has another name for both. */
const WORKER = import.meta.url.endsWith('.ts') ? './stagingWorker.ts' : './stagingWorker.mjs';

/**
 * Room for its new objects, MB: a third of it is in use at a time. It makes few, and with as much as the main thread has it
 * would hold 16 MB for them.
 */
const YOUNG = 3;

/** Memory that both threads see. The one that took it has it until its files are staged. */
export type Block = { readonly number: number; readonly bytes: Uint8Array };

/** Who has a block that is not full, and waits for more. */
export interface Holder {
  /** Has what is in the block worked off now, because others wait for a block. */
  sendNow(): void;
}

/** A question to the thread, and the block that is free again with its answer. */
type Asked = {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly block: Block | undefined;
};

/** One run of the thread that stages files. */
export class RunningThread {
  readonly #worker: Worker;
  readonly #free: Block[];
  readonly #givenUp = new Uint8Array(new SharedArrayBuffer(BLOCKS));
  readonly #takers: PromiseWithResolvers<Block>[] = [];
  /** Oldest first. */
  readonly #holders = new Set<Holder>();
  readonly #asked: Asked[] = [];
  #failure: Error | undefined;
  readonly #ended: Promise<void>;

  constructor() {
    const blocks = Array.from({ length: BLOCKS }, () => new SharedArrayBuffer(BLOCK_BYTES));
    this.#free = blocks.map((block, number) => ({ number, bytes: new Uint8Array(block) }));
    const start: ThreadStart = { blocks, givenUp: this.#givenUp.buffer };
    // The size that the launcher gives the main thread, which keeps it, would be this thread's otherwise.
    setFlagsFromString('--max-semi-space-size=0');
    this.#worker = new Worker(new URL(WORKER, import.meta.url), {
      workerData: start,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG },
    });
    this.#worker.on('message', (answer: unknown) => this.#answered(answer));
    this.#worker.on('error', (error) =>
      this.#fail(error instanceof Error ? error : new Error(String(error))),
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    this.#worker.on('exit', (code) => {
      this.#fail(new Error(`the thread that stages files ended with ${code}`));
      resolve();
    });
    // It keeps the process alive only while something is asked of it.
    this.#worker.unref();
  }

  /** True while it can take work. */
  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  /** Resolves with a free block, in the order of the calls. @throws when the thread has ended */
  async take(): Promise<Block> {
    if (this.#failure !== undefined) throw this.#failure;
    const block = this.#free.pop();
    if (block !== undefined) return block;
    const taker = Promise.withResolvers<Block>();
    this.#takers.push(taker);
    const [oldest] = this.#holders;
    oldest?.sendNow();
    return taker.promise;
  }

  /**
   * The rest of this holder's block is long in coming, perhaps: until {@link noLongerHeld} it may have to be worked off as it is,
   * so that files of a slow connection do not keep all blocks from the others.
   */
  held(holder: Holder): void {
    if (this.#takers.length > 0) holder.sendNow();
    else this.#holders.add(holder);
  }

  /** Its block is being filled, worked off, or given back. */
  noLongerHeld(holder: Holder): void {
    this.#holders.delete(holder);
  }

  /** Gives back a block from which nothing was staged. */
  giveBack(block: Block): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#free.push(block);
    else taker.resolve(block);
  }

  /**
   * Stages files and gives their block back.
   * @param stage the open staging folder, which must stay open until this settles
   * @throws when the thread has ended: some of the files may have been staged
   */
  async stage(stage: number, block: Block, files: readonly WholeFile[]): Promise<StageAnswer> {
    Atomics.store(this.#givenUp, block.number, 0);
    const request: StageRequest = { stage, block: block.number, files };
    return this.#ask<StageAnswer>(request, block);
  }

  /**
   * Writes a piece at the end of an open file, hashes it, and gives its block back.
   * @param fd must stay open until this settles, and until {@link endOf} has
   * @throws that it could not be written, with the errno; or that the thread has ended
   */
  async write(fd: number, block: Block, length: number): Promise<void> {
    const request: WriteRequest = { fd, block: block.number, length };
    this.#require(await this.#ask<PieceAnswer>(request, block));
  }

  /**
   * Reads a part of an open file, and hashes it after the parts before it.
   * @param fd must stay open until {@link endOf} has settled
   * @param at offset of the part, bytes
   * @param length bytes of the part; the file may end before
   * @throws that it could not be read, with the errno; or that the thread has ended
   */
  async hash(fd: number, at: number, length: number): Promise<void> {
    const request: HashRequest = { hashed: fd, at, length };
    this.#require(await this.#ask<PieceAnswer>(request, undefined));
  }

  /** Resolves with the SHA-256, in hexadecimal, of the pieces of a file, or of its parts. @throws when the thread has ended */
  async endOf(fd: number): Promise<string> {
    const request: EndRequest = { ended: fd };
    return this.#ask<string>(request, undefined);
  }

  /** The rest of what was asked for from this block is not wanted any more: the answer comes soon. */
  giveUp({ number }: Block): void {
    Atomics.store(this.#givenUp, number, 1);
  }

  /** Ends it; what is still asked of it fails. */
  async end(): Promise<void> {
    await this.#worker.terminate();
    await this.#ended;
  }

  #require(why: PieceAnswer): void {
    if (why !== undefined) throw new Error(why);
  }

  #ask<T>(request: Request, block: Block | undefined): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // Requests are answered in their order, each with what belongs to it.
    this.#asked.push({ resolve: (answer) => resolve(answer as T), reject, block });
    this.#worker.ref();
    this.#worker.postMessage(request, []);
    return promise;
  }

  #answered(answer: unknown): void {
    const asked = this.#asked.shift();
    if (asked === undefined) return;
    if (this.#asked.length === 0) this.#worker.unref();
    if (asked.block !== undefined) this.giveBack(asked.block);
    asked.resolve(answer);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of [...this.#asked.splice(0), ...this.#takers.splice(0)]) reject(error);
  }
}
