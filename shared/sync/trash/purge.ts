import { fstatSync } from 'node:fs';
import { RESERVED_NAME } from '#core/path/names.ts';
import { errnoOf } from '#host/fs/errno.ts';
import type { Folder } from '#host/fs/folder.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import type { Steps } from '#core/steps.ts';
import { remove, removeSteps } from '#host/fs/removeTree.ts';
import type { Logger } from '#host/log/logger.ts';
import { TrashList } from '../apply/trashIndex.ts';
import { inTrash } from './trash.ts';

/** Options of {@link purgeTrash}. */
export type Purge = {
  /** The synchronised directory. */
  readonly root: string;
  /** How long items stay in the trash, milliseconds. */
  readonly keep: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly log: Pick<Logger, 'info' | 'error'>;
};

export type Purged = {
  /** Change sets whose trash was removed. */
  readonly changeSets: number;
  /** No item that is left is older than this, milliseconds since 1970; 0 when not all of the trash could be read. */
  readonly oldest: number;
};

/**
 * Permanently removes items that have been in the trash for longer than they are kept. Errors are logged and retried
 * with the next reconcile; they don't affect other items.
 */
export function* purgeTrash({ root, keep, now, log }: Purge): Steps<Purged> {
  let purged = 0;
  let oldest = now;
  const logError = (folder: string, error: unknown): void => {
    oldest = 0;
    log.error('old trash could not be removed', { folder, reason: withRemedy(errnoOf(error)) });
  };
  try {
    yield* inTrash(root, function* (trash) {
      for (const set of trash.list()) {
        try {
          const since = yield* purgeSet(trash, set, now - keep);
          if (since === undefined) purged += 1;
          else oldest = Math.min(oldest, since);
        } catch (error) {
          logError(`${root}/${RESERVED_NAME}/trash/${set}`, error);
        }
      }
    });
  } catch (error) {
    logError(`${root}/${RESERVED_NAME}/trash`, error);
  }
  if (purged > 0) log.info('old trash removed', { changeSets: purged });
  return { changeSets: purged, oldest };
}

/** @returns since when it is in the trash, milliseconds since 1970; undefined when it was old enough and is removed */
function* purgeSet(trash: Folder, set: string, oldest: number): Steps<number | undefined> {
  yield;
  const folder = trash.open(set);
  try {
    const since = TrashList.read(folder)?.at ?? fstatSync(folder.fd).ctimeMs;
    if (since >= oldest) return since;
    // The list is removed last, so that the items left by a crash are still named.
    for (const name of folder.list()) if (name !== TrashList.fileName) yield* removeSteps(folder, name);
    remove(folder, TrashList.fileName);
  } finally {
    folder.close();
  }
  trash.removeFolder(set);
  return undefined;
}
