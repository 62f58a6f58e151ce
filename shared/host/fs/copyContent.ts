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
 * @throws Node's fs errors
 */
export async function copyContent(from: PathLike, to: PathLike): Promise<void> {
  try {
    return await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
  } catch (error) {
    if (!CAN_NOT_SHARE.has(codeOf(error) ?? '')) throw error;
  }
  await using source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
  await using target = await open(to, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, CHUNK);
    if (bytesRead === 0) return;
    await target.writeFile(buffer.subarray(0, bytesRead));
  }
}

/** What file systems answer that can't share blocks, or not these. */
const CAN_NOT_SHARE: ReadonlySet<string> = new Set([
  'ENOTSUP',
  'EOPNOTSUPP',
  'EXDEV',
  'EINVAL',
  'ENOTTY',
  'ENOSYS',
  'EPERM',
  'EBADF',
  'ETXTBSY',
]);
