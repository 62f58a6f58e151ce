import type { Folder } from '#host/fs/folder.ts';
import { stageWhole } from '../stageWhole.ts';
import type { StageAnswer, WholeFile } from './messages.ts';

/**
 * Stages files whose contents are in a block.
 * @param isGivenUp true when the rest is not wanted any more
 */
export function stageAll(
  stage: Folder,
  block: Uint8Array,
  files: readonly WholeFile[],
  isGivenUp: () => boolean,
): StageAnswer {
  return files.map(({ name, at, entry }) =>
    isGivenUp()
      ? { result: 'stale', why: 'the transfer was given up' }
      : stageWhole(stage, name, block.subarray(at, at + entry.size), entry),
  );
}
