import { Buffer } from 'node:buffer';
import { closeSync, fstatSync, readSync, writeSync } from 'node:fs';
import { copyContent, sharesNothing } from '#host/fs/copyContent.ts';
import { codeOf, isMissing } from '#host/fs/errno.ts';
import type { Folder } from '#host/fs/folder.ts';
import { remove } from '#host/fs/removeTree.ts';
import { stampOfOpen } from '#host/fs/listing/stampOfOpen.ts';
import type { Stamp } from '#core/manifest/stamp.ts';

/** Up to this size a file is copied in one go, bytes: the thread pool would take ten times as long. */
export const SMALL = 64 * 1024;
const buffer = Buffer.allocUnsafe(SMALL);

/**
 * Copies the version of a file that a stamp identifies: an equal stamp before and after the copy proves that this version
 * was copied.
 * @param signal ends the copy of a large file
 * @returns false when the file has another version, or is gone; nothing is left of the copy then
 * @throws Node's fs errors, or the reason of the signal; what there is of the copy stays
 */
export async function copyVersion(
  from: { readonly folder: Folder; readonly name: string; readonly stamp: Stamp; readonly size: number },
  to: { readonly folder: Folder; readonly name: string },
  signal: AbortSignal,
): Promise<boolean> {
  const { folder, name, stamp } = from;
  let isSame = false;
  let fd: number | undefined;
  try {
    fd = folder.openFile(name);
    if (stampOfOpen(fd) !== stamp) return false;
    // Only one of the file system's can share its blocks, which is better than any copy.
    if (from.size <= SMALL && sharesNothing(fstatSync(fd).dev)) copySmall(fd, from.size, to);
    else {
      await copyContent(folder.at(name), to.folder.at(to.name), signal);
      // It opened the name itself, which may mean another file by now.
      closeSync(fd);
      fd = undefined;
      fd = folder.openFile(name);
    }
    isSame = stampOfOpen(fd) === stamp;
  } catch (error) {
    if (!isMissing(error)) throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  if (!isSame) remove(to.folder, to.name);
  return isSame;
}

/** A file that is shorter by now has another stamp. */
function copySmall(fd: number, size: number, { folder, name }: { folder: Folder; name: string }): void {
  let length = 0;
  for (let got = -1; got !== 0 && length < size; length += got)
    got = readSync(fd, buffer, length, size - length, length);
  const target = create(folder, name);
  try {
    for (let at = 0; at < length;) at += writeSync(target, buffer, at, length - at);
  } finally {
    closeSync(target);
  }
}

/** A crash may have left another one. */
function create(folder: Folder, name: string): number {
  try {
    return folder.createFile(name);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    folder.removeFile(name);
    return folder.createFile(name);
  }
}
