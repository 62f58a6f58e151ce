import { closeSync, readSync } from 'node:fs';
import { baseOf, parentOf } from '#core/path/relative.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { stampOfOpen } from '#host/fs/listing/stampOfOpen.ts';
import type { OpenFolders } from '#host/fs/openFolders.ts';
import type { Packed } from './packed.ts';

/** Files up to this size are read and sent whole, bytes. */
export const SMALL = 64 * 1024;

/** True for a file that is sent whole and fits into memory. */
export function isSmall({ size, from = 0 }: Packed): boolean {
  return from === 0 && size <= SMALL;
}

/** Reads a small file into a buffer of its size. @returns why it can't be sent, if it can't */
export function readSmall(open: OpenFolders, file: Packed, into: Buffer): string | undefined {
  if (file.refusal !== undefined) return file.refusal;
  let fd: number;
  try {
    fd = open.get(parentOf(file.path)).openFile(baseOf(file.path));
  } catch (error) {
    return errnoOf(error);
  }
  try {
    if (stampOfOpen(fd) !== file.stamp) return 'changed';
    return readWhole(fd, into) ? undefined : 'changed';
  } catch (error) {
    return errnoOf(error);
  } finally {
    closeSync(fd);
  }
}

/** @returns false when the file is shorter */
function readWhole(fd: number, into: Buffer): boolean {
  for (let at = 0; at < into.length;) {
    const length = readSync(fd, into, at, into.length - at, at);
    if (length === 0) return false;
    at += length;
  }
  return true;
}
