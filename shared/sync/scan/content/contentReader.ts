import { closeSync, fstatSync } from 'node:fs';
import { type Stamp, stampOf } from '#core/manifest/stamp.ts';
import type { Folder } from '#host/fs/folder.ts';
import { isOpenForWriting } from '#host/fs/libc.ts';
import type { ObjectStat } from '#host/fs/listing/objectStat.ts';
import { stampOfOpen } from '#host/fs/listing/stampOfOpen.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import type { StagingThread } from '../../apply/thread/stagingThread.ts';
import { ChunkLists, type KeptLists } from '../../transfer/chunkLists.ts';
import { hashFile, LARGE, type Listing, type Reading, readLarge } from './hashFile.ts';

/**
 * Age of a version that is read before it has settled, milliseconds: whatever is written from then on gives the file another
 * ctime, whose clock ticks every 1 to 10 ms.
 */
const OLD_ENOUGH = 30;
/** After a reading in vain there is none for this many times as long. */
const REST = 10;
/** Most readings that are kept until their files have settled. */
const MOST_KEPT = 16;

type Wanted = {
  /** The hash of the version before, if there was one: then the chunks of a large file are listed, too. */
  readonly before: string | undefined;
  /** Ends the reading. */
  readonly signal: AbortSignal;
};

/**
 * Reads the content of a directory's files. A large file that has changed is read while it settles, so that its hash is known
 * as soon as it has: one file at a time, and seldom where files go on changing.
 */
export class ContentReader {
  /** Of large files. */
  readonly lists = new ChunkLists();
  readonly #clock: Clock;
  #thread: StagingThread | undefined;
  /** Files that have never changed are listed, too. */
  #listsAll = false;
  /** By the stamp of the version; without result when that has changed. */
  readonly #early = new Map<Stamp, Promise<Reading | undefined>>();
  /** The pause before the next one. */
  #waiting = new AbortController();
  #isReading = false;
  /** Monotonic milliseconds. */
  #notBefore = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on, this thread hashes very large files while their chunks are listed here. */
  hashIn(thread: StagingThread | undefined): void {
    this.#thread = thread;
  }

  /**
   * For a host whose files others have, so that most of a file is already there when it first changes: lists what is here at
   * the start, and keeps all lists.
   */
  listAll(kept: KeptLists): void {
    this.lists.keepIn(kept);
    this.#listsAll = true;
  }

  /**
   * What was here at the start has been read. From now on a new file is wanted at once, and is not listed: that would take twice
   * as long as its hash alone.
   */
  caughtUp(): void {
    this.#listsAll = false;
  }

  /** A file has a new version, which is to be hashed when it has settled. @param in milliseconds until then */
  expect(folder: Folder, name: string, stat: ObjectStat, wanted: Wanted & { readonly in: number }): void {
    if (stat.size < LARGE || wanted.in <= OLD_ENOUGH || wanted.signal.aborted) return;
    if (this.#isReading || this.#clock.monotonic() < this.#notBefore) return;
    let fd: number;
    try {
      fd = folder.openFile(name);
    } catch {
      // The error is reported when it is read.
      return;
    }
    this.#waiting.abort();
    this.#waiting = new AbortController();
    const stamp = stampOf(stat);
    const reading = this.#readEarly(fd, stamp, this.#waiting.signal, wanted)
      .catch(() => undefined)
      .finally(() => closeSync(fd));
    this.#early.set(stamp, reading);
    for (const oldest of this.#early.keys()) {
      if (this.#early.size <= MOST_KEPT) break;
      this.#early.delete(oldest);
    }
  }

  /** See {@link hashFile}. */
  hash(folder: Folder, name: string, stamp: Stamp, wanted: Wanted): Promise<string | undefined> {
    const early = this.#early.get(stamp);
    this.#early.delete(stamp);
    return hashFile(folder, name, stamp, { listing: this.#listing(wanted), early, signal: wanted.signal });
  }

  #listing({ before }: Wanted): Listing | undefined {
    const isListed = before !== undefined || (this.#listsAll && this.lists.haveRoom);
    return isListed ? { lists: this.lists, before, thread: this.#thread } : undefined;
  }

  /** Resolves when nothing is read early any more. */
  async ended(): Promise<void> {
    await Promise.all(this.#early.values());
  }

  async #readEarly(
    fd: number,
    stamp: Stamp,
    replaced: AbortSignal,
    wanted: Wanted,
  ): Promise<Reading | undefined> {
    const { signal } = wanted;
    await pause(this.#clock, OLD_ENOUGH, AbortSignal.any([replaced, signal]));
    const requireSame = (): void => {
      signal.throwIfAborted();
      if (stampOfOpen(fd) !== stamp) throw new Error('it has changed');
    };
    requireSame();
    if (replaced.aborted || isOpenForWriting(fd) !== false) return undefined;
    const began = this.#clock.monotonic();
    this.#isReading = true;
    try {
      return await readLarge(fd, fstatSync(fd).size, this.#listing(wanted), requireSame);
    } catch (error) {
      const now = this.#clock.monotonic();
      this.#notBefore = now + (now - began) * REST;
      throw error;
    } finally {
      this.#isReading = false;
    }
  }
}
