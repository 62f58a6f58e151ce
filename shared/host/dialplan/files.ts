import { closeSync, constants, fstatSync, openSync, readSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { decodeName, encodeName } from '#core/path/nameBytes.ts';
import type { DialplanContent } from '#core/dialplan/world.ts';
import { errnoOf } from '../fs/errno.ts';

/**
 * A dialplan file beyond this is named and not read: 10,000 extensions are about 1 MiB, and what is larger is a core
 * file or an archive in the wrong place. Bytes.
 */
const LARGEST = 8 * 1024 * 1024;
/** What is read of a larger one, to tell text from other things. Bytes. */
const HEAD = 64 * 1024;

/** What the file system says where there is nothing to read: a link that leads nowhere or to itself included. */
const NOTHING = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'ENXIO', 'ENAMETOOLONG']);

/** Reads a regular file, links followed. Undefined where there is none. @throws what else the file system throws */
export function readContent(where: string): DialplanContent | undefined {
  let fd: number;
  try {
    // Not blocking: a fifo in the folder must not stop us.
    fd = openSync(encodeName(where), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (NOTHING.has(errnoOf(error))) return undefined;
    throw error;
  }
  try {
    return contentOf(fd);
  } finally {
    closeSync(fd);
  }
}

/** Reads an open file; undefined when it is no regular one. */
export function contentOf(fd: number): DialplanContent | undefined {
  const stat = fstatSync(fd);
  if (!stat.isFile()) return undefined;
  const content = Buffer.alloc(stat.size > LARGEST ? HEAD : stat.size);
  let length = 0;
  for (let read = -1; read !== 0 && length < content.length; length += read)
    read = readSync(fd, content, length, content.length - length, length);
  const bytes = content.subarray(0, length);
  return stat.size > LARGEST ? { size: stat.size, head: bytes } : bytes;
}

/** The names in a folder; none where there is no such folder. @throws what else the file system throws */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(encodeName(folder), { encoding: 'buffer' }).map((name) => decodeName(name));
  } catch (error) {
    if (NOTHING.has(errnoOf(error))) return [];
    throw error;
  }
}

/** Where a link leads, as it is written; undefined when there is none. */
export function linkTarget(where: string): string | undefined {
  try {
    return decodeName(readlinkSync(encodeName(where), { encoding: 'buffer' }));
  } catch (error) {
    if (errnoOf(error) === 'EINVAL' || NOTHING.has(errnoOf(error))) return undefined;
    throw error;
  }
}

/** True when `inner` is `folder` or lies below it. */
export function isWithin(inner: string, folder: string): boolean {
  return inner === folder || inner.startsWith(folder.endsWith(path.sep) ? folder : `${folder}/`);
}
