import { createHash } from 'node:crypto';
import { closeSync, fstatSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Folder } from '#host/fs/folder.ts';
import { isOpenForWriting } from '#host/fs/libc.ts';
import { type Stamp, stampOf } from '#core/manifest/stamp.ts';

const readAsync = promisify(read);

/** Up to this size a file is read synchronously, which is faster than the thread pool. */
const SMALL = 256 * 1024;
const CHUNK = 1024 * 1024;
const smallBuffer = Buffer.allocUnsafe(SMALL);

/**
 * SHA-256 of the version of a file that `stamp` identifies.
 *
 * RACE: a program writes after the last read, within the same tick of the kernel's clock (1 to 10 ms), and keeps the size.
 * Worst case: the stamp stays equal, and the change is noticed only by the next change of the file or by `verify`.
 * @returns undefined when the file has another stamp, or a process has it open for writing
 * @throws Node's fs errors (EACCES, EIO, …) when it can't be read
 */
export async function hashFile(folder: Folder, name: string, stamp: Stamp): Promise<string | undefined> {
  const fd = folder.openFile(name);
  try {
    const before = fstatSync(fd, { bigint: true });
    if (!before.isFile() || stampOf(before) !== stamp || isOpenForWriting(fd) === true) return undefined;
    const hash = before.size <= SMALL ? hashSmall(fd) : await hashLarge(fd);
    return stampOf(fstatSync(fd, { bigint: true })) === stamp ? hash : undefined;
  } finally {
    closeSync(fd);
  }
}

function hashSmall(fd: number): string {
  const hash = createHash('sha256');
  for (;;) {
    const length = readSync(fd, smallBuffer);
    if (length === 0) return hash.digest('hex');
    hash.update(smallBuffer.subarray(0, length));
  }
}

async function hashLarge(fd: number): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const { bytesRead } = await readAsync(fd, buffer, 0, CHUNK, null);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
  }
}
