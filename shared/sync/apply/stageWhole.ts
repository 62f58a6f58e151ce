import { hash } from 'node:crypto';
import { closeSync, writeSync } from 'node:fs';
import { errnoOf } from '#host/fs/errno.ts';
import type { Folder } from '#host/fs/folder.ts';
import { setMetadata } from '#host/fs/metadata.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import type { StagingResult } from '#core/changeSet.ts';

/** The result for a file whose content is not what was announced. */
export const OTHER_CONTENT: StagingResult = {
  result: 'stale',
  why: 'its content is not what was announced',
  isOther: true,
};

/** Bits that a file has from the start; the others come with its owner. */
const PERMISSIONS = 0o777;

/**
 * Stages a file whose whole content is at hand: it is created only if that is what was announced, so it may have its
 * final permissions at once, in a folder that only this program can enter.
 * @param name in the staging area; must be free
 * @param entry the expected file, with this host's owner and group
 */
export function stageWhole(
  stage: Folder,
  name: string,
  content: Uint8Array,
  entry: FileEntry,
): StagingResult {
  if (content.length !== entry.size || hash('sha256', content) !== entry.hash) return OTHER_CONTENT;
  let fd: number | undefined;
  try {
    fd = stage.createFile(name, entry.mode & PERMISSIONS);
    for (let at = 0; at < content.length;) at += writeSync(fd, content, at);
    return { result: 'staged', staged: { name, inode: setMetadata(fd, entry) } };
  } catch (error) {
    if (fd !== undefined) stage.removeFile(name);
    return { result: 'failed', why: errnoOf(error) };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
