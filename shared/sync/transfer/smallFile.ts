import { closeSync, fstatSync, readSync } from 'node:fs';
import { stampOf } from '#core/manifest/stamp.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import { errnoOf } from '#host/fs/errno.ts';
import type { OpenFolders } from '#host/fs/openFolders.ts';
import type { Packed } from './packed.ts';

/** Files up to this size are read whole, bytes. */
const SMALL = 64 * 1024;

/** True for a file that is sent whole and fits into memory. */
export function isSmall({ size, from = 0 }: Packed): boolean {
  return from === 0 && size <= SMALL;
}

/** Reads a small file. @returns its content, or why it can't be sent */
export function readSmall(open: OpenFolders, file: Packed): Buffer | { readonly why: string } {
  if (file.refusal !== undefined) return { why: file.refusal };
  let fd: number;
  try {
    fd = open.get(parentOf(file.path)).openFile(baseOf(file.path));
  } catch (error) {
    return { why: errnoOf(error) };
  }
  try {
    if (stampOf(fstatSync(fd, { bigint: true })) !== file.stamp) return { why: 'changed' };
    return readWhole(fd, file.size) ?? { why: 'changed' };
  } catch (error) {
    return { why: errnoOf(error) };
  } finally {
    closeSync(fd);
  }
}

function readWhole(fd: number, size: number): Buffer | undefined {
  const content = Buffer.allocUnsafe(size);
  for (let at = 0; at < size;) {
    const length = readSync(fd, content, at, size - at, at);
    if (length === 0) return undefined;
    at += length;
  }
  return content;
}
