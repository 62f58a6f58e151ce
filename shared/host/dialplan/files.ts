import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  readdirSync,
  readlinkSync,
} from 'node:fs';
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

/**
 * Reads a regular file, following links; undefined when there is none.
 * @param like returned itself when the file has this content, which saves the memory of a copy
 * @throws other errors of the file system
 */
export function readContent(where: string, like?: DialplanContent): DialplanContent | undefined {
  let fd: number;
  try {
    // Non-blocking, so that opening a fifo in the folder does not hang.
    fd = openSync(encodeName(where), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (NOTHING.has(errnoOf(error))) return undefined;
    throw error;
  }
  try {
    return contentOf(fd, like);
  } finally {
    closeSync(fd);
  }
}

/** Reads an open file; undefined when it is not a regular file. @param like as of {@link readContent} */
export function contentOf(fd: number, like?: DialplanContent): DialplanContent | undefined {
  const stat = fstatSync(fd);
  if (!stat.isFile()) return undefined;
  const isInPart = isReadInPart(stat.size);
  if (like !== undefined && isInPart !== Buffer.isBuffer(like)) {
    const [size, bytes] = Buffer.isBuffer(like) ? [like.length, like] : [like.size, like.head];
    if (size === stat.size && beginsWith(fd, bytes)) return like;
  }
  const content = Buffer.alloc(isInPart ? READ_IN_PART : stat.size);
  let length = 0;
  for (let read = -1; read !== 0 && length < content.length; length += read)
    read = readSync(fd, content, length, content.length - length, length);
  const bytes = content.subarray(0, length);
  return isInPart ? { size: stat.size, head: bytes } : bytes;
}

/** Compared piece by piece in here: a copy of every file would keep the collector of garbage busy. */
const piece = Buffer.alloc(64 * 1024);

function beginsWith(fd: number, bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length;) {
    const read = readSync(fd, piece, 0, Math.min(piece.length, bytes.length - at), at);
    if (read === 0 || piece.compare(bytes, at, at + read, 0, read) !== 0) return false;
    at += read;
  }
  return true;
}

/** True when two files have the same content, as far as it was read. */
export function sameContent(a: DialplanContent | undefined, b: DialplanContent | undefined): boolean {
  if (a === b || a === undefined || b === undefined) return a === b;
  if (Buffer.isBuffer(a) || Buffer.isBuffer(b))
    return Buffer.isBuffer(a) && Buffer.isBuffer(b) && a.equals(b);
  return a.size === b.size && a.head.equals(b.head);
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
    // Asked first, since an error for every file that is no link would cost more than reading the file.
    if (lstatSync(encodeName(where), { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined;
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
