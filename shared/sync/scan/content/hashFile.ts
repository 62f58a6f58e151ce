import { createHash, hash as hashOf } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import type { Folder } from '#host/fs/folder.ts';
import { isOpenForWriting } from '#host/fs/libc.ts';
import { openStat } from '#host/fs/listing/openStat.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import { readAhead } from '#host/fs/readAhead.ts';
import type { StagingThread } from '../../apply/thread/stagingThread.ts';
import { type ChunkList, ChunkLister, listWith } from '../../transfer/chunkList.ts';
import type { ChunkLists } from '../../transfer/chunkLists.ts';
import { hashInThread } from './hashInThread.ts';

/** Up to this size a file is read synchronously, which is faster than the thread pool. */
const SMALL = 256 * 1024;
/** From this size on, a file's chunks may be listed in the same pass, bytes. */
export const LARGE = 8 * 1024 * 1024;
const smallBuffer = Buffer.allocUnsafe(SMALL);

/** From this size on, another thread is started to hash a file while this one lists its chunks, bytes. */
const WORTH_THREAD = 64 * 1024 * 1024;

/** A file's hash, and its chunks if they were listed. */
export type Reading = { readonly hash: string; readonly list: ChunkList | undefined };

/** Where the chunk list of a large file goes, and the hash of its last version, if there was one: most of it may still be there. */
export type Listing = {
  readonly lists: ChunkLists;
  readonly before: string | undefined;
  /** Hashes a large file while this thread lists its chunks. */
  readonly thread?: StagingThread | undefined;
};

export type HashOptions = {
  /** The chunks of a large file are listed in the same pass; none are when absent. */
  readonly listing?: Listing | undefined;
  /** A reading of this version that started while it settled; without result when it failed. */
  readonly early?: Promise<Reading | undefined> | undefined;
  /** Ends the reading of a large file. */
  readonly signal?: AbortSignal;
};

/**
 * SHA-256 of the version of a file that `stamp` identifies.
 *
 * RACE: a program writes after the last read, within the same tick of the kernel's clock (1 to 10 ms), and keeps the size.
 * Worst case: the stamp stays equal, and the change is noticed only by the next change of the file or by `verify`.
 * @returns undefined when the file has another stamp, or a process has it open for writing
 * @throws Node's fs errors (EACCES, EIO, …) when it can't be read; the reason of the signal
 */
export async function hashFile(
  folder: Folder,
  name: string,
  stamp: Stamp,
  { listing, early, signal }: HashOptions = {},
): Promise<string | undefined> {
  const fd = folder.openFile(name);
  try {
    const { isFile, size, stamp: before } = openStat(fd);
    if (!isFile || before !== stamp || isOpenForWriting(fd) === true) return undefined;
    const { hash, list } =
      (await early) ??
      (size <= SMALL
        ? hashSmall(fd, size)
        : await readLarge(fd, size, listing, () => signal?.throwIfAborted()));
    if (openStat(fd).stamp !== stamp) return undefined;
    if (list !== undefined) listing?.lists.add(hash, list);
    return hash;
  } finally {
    closeSync(fd);
  }
}

/** A file that grows or shrinks meanwhile gets another stamp, by which the caller notices. */
function hashSmall(fd: number, size: number): Reading {
  let length = 0;
  while (length < size) {
    const count = readSync(fd, smallBuffer, length, size - length, null);
    if (count === 0) break;
    length += count;
  }
  return { hash: hashOf('sha256', smallBuffer.subarray(0, length), 'hex'), list: undefined };
}

/**
 * Reads an open file whole.
 * @param onPiece called before each piece is hashed; an error of it ends the reading
 */
export async function readLarge(
  fd: number,
  size: number,
  listing: Listing | undefined,
  onPiece: () => void,
): Promise<Reading> {
  const { lists, before, thread } = listing ?? {};
  const isListed = lists !== undefined && size >= LARGE;
  const lister = isListed
    ? ChunkLister.following(size, before === undefined ? undefined : lists.get(before))
    : undefined;
  if (lister !== undefined && thread !== undefined && (size >= WORTH_THREAD || thread.isRunning))
    return readTwice(fd, size, lister, thread, onPiece);
  const hash = createHash('sha256');
  for await (const piece of readAhead(fd, { end: size })) {
    onPiece();
    lister?.add(piece);
    hash.update(piece);
    await lister?.caughtUp();
  }
  return { hash: hash.digest('hex'), list: await lister?.end() };
}

/** Lists the chunks of a file here, while another thread reads and hashes it: the second of them reads from memory. */
async function readTwice(
  fd: number,
  size: number,
  lister: ChunkLister,
  thread: StagingThread,
  onPiece: () => void,
): Promise<Reading> {
  const end = new AbortController();
  const requireGoingOn = (): void => {
    end.signal.throwIfAborted();
    onPiece();
  };
  const both = [
    hashInThread(fd, size, thread, requireGoingOn),
    listWith(lister, fd, size, requireGoingOn),
  ] as const;
  // Neither may still be reading when the file is closed.
  for (const each of both) each.catch((error: unknown) => end.abort(error));
  await Promise.allSettled(both);
  const [hash, list] = await Promise.all(both);
  return { hash, list };
}
