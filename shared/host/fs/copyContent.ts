import { constants, type PathLike } from 'node:fs';
import { copyFile, open } from 'node:fs/promises';
import { codeOf } from './errno.ts';

const CHUNK = 1024 * 1024;

/**
 * Copies a file's content; the file system shares the blocks where it can (XFS, Btrfs).
 *
 * `copyFile` alone is no way to do it: libuv copies as many bytes as the file had at first, and asks for more without
 * an end where it becomes shorter meanwhile (`uv__fs_sendfile` in its src/unix/fs.c), so that a thread of the pool is
 * busy for ever. What is cut short here is a short copy: the caller compares stamps.
 *
 * @param signal ends it before the next block; what there is of the copy stays
 * @throws Node's fs errors; the reason of the signal
 */
export async function copyContent(from: PathLike, to: PathLike, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await using source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
  const { dev, size } = await source.stat();
  if (await share(from, to, dev)) return;
  await using target = await open(to, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  // Most files are small, and are copied one after the other: a large buffer for each would be a lot of garbage.
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, size)));
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, buffer.length);
    if (bytesRead === 0) return;
    signal.throwIfAborted();
    await target.writeFile(buffer.subarray(0, bytesRead));
  }
}

/** File systems that were found to share no blocks, by device: asking again would make and remove a file each time. */
const shareNothing = new Set<number>();

/** True once a copy of a file on this device has shown that its file system can't share blocks. */
export function sharesNothing(device: number): boolean {
  return shareNothing.has(device);
}

/** @returns false when the file system can't share the blocks */
async function share(from: PathLike, to: PathLike, device: number): Promise<boolean> {
  if (shareNothing.has(device)) return false;
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (!CAN_NOT_SHARE.has(code)) throw error;
    if (NEVER_SHARES.has(code)) shareNothing.add(device);
    return false;
  }
}

const NEVER_SHARES: ReadonlySet<string> = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENOTTY', 'ENOSYS']);
/** What file systems answer that can't share blocks, or not these. */
const CAN_NOT_SHARE: ReadonlySet<string> = new Set([
  ...NEVER_SHARES,
  'EXDEV',
  'EINVAL',
  'EPERM',
  'EBADF',
  'ETXTBSY',
]);
