import { closeSync, constants, fstatSync, openSync, readSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { decodeName, encodeName } from '#core/path/nameBytes.ts';
import type { DialplanContent } from '#core/dialplan/world.ts';
import { errnoOf } from '../fs/errno.ts';

/**
 * Largest dialplan file that is read, bytes. 10,000 extensions are about 1 MiB; a larger file is a core file or an
 * archive in the wrong place, and is only reported.
 */
const LARGEST = 8 * 1024 * 1024;
/** Bytes read of a larger file, to distinguish text from binary content. */
export const READ_IN_PART = 64 * 1024;

/** Errors that mean "no such file", including links that lead nowhere or to themselves. */
const NOTHING = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'ENXIO', 'ENAMETOOLONG']);

/** Reads a regular file, following links; undefined when there is none. @throws other errors of the file system */
export function readContent(where: string): DialplanContent | undefined {
  let fd: number;
  try {
    // Non-blocking, so that opening a fifo in the folder does not hang.
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

/** Reads an open file; undefined when it is not a regular file. */
export function contentOf(fd: number): DialplanContent | undefined {
  const stat = fstatSync(fd);
  if (!stat.isFile()) return undefined;
  const content = Buffer.alloc(isReadInPart(stat.size) ? READ_IN_PART : stat.size);
  let length = 0;
  for (let read = -1; read !== 0 && length < content.length; length += read)
    read = readSync(fd, content, length, content.length - length, length);
  const bytes = content.subarray(0, length);
  return isReadInPart(stat.size) ? { size: stat.size, head: bytes } : bytes;
}

/** True for a file of which only the beginning is read, by its size in bytes. */
export function isReadInPart(size: number): boolean {
  return size > LARGEST;
}

/** The names in a folder; empty when there is no such folder. @throws other errors of the file system */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(encodeName(folder), { encoding: 'buffer' }).map((name) => decodeName(name));
  } catch (error) {
    if (NOTHING.has(errnoOf(error))) return [];
    throw error;
  }
}

/** The target of a link as written; undefined when there is no link. */
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
