import { errnoOf } from '#host/fs/errno.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import type { CopyingSink } from '../transfer/deltaSink.ts';
import type { Sink } from '../transfer/unpack.ts';
import type { Staging } from './staging.ts';
import type { StagingResult } from '#core/changeSet.ts';
import type { StagedFile } from './stagedFile.ts';
import { PIECE_BYTES } from './writing/writeBehind.ts';

/**
 * Stages one file of an archive and verifies it. A disk error affects this file alone.
 * @param entry the expected file, with this host's owner and group
 * @param resumed the part received by an interrupted transfer, to be continued
 */
export function stagingSink(
  staging: Staging,
  entry: FileEntry,
  onResult: (result: StagingResult) => void,
  resumed?: StagedFile,
): CopyingSink {
  let file = resumed;
  let broken = false;
  const fail = (error: unknown): void => {
    broken = true;
    file?.discard();
    onResult({ result: 'failed', why: errnoOf(error) });
  };
  const guard = <T>(work: () => T): T | undefined => {
    if (broken) return undefined;
    try {
      return work();
    } catch (error) {
      fail(error);
      return undefined;
    }
  };
  guard(() => (file ??= staging.file()));
  const finish = (): void =>
    guard(() => {
      const staged = file?.finish(entry);
      if (staged) onResult({ result: 'staged', staged });
      else onResult({ result: 'stale', why: 'its content is not what was announced', isOther: true });
    });
  // The way to the thread pool does not pay for a small file.
  let isBehind = entry.size >= PIECE_BYTES;
  return {
    write: (chunk) => {
      // What has arrived already, or comes from this host, does not end with the connection.
      staging.throwIfEnding();
      return isBehind
        ? guard(() => file?.writeBehind(chunk, staging.thread))?.catch(fail)
        : guard(() => file?.write(chunk));
    },
    copy: async (from, start, end) => {
      if (broken) return;
      isBehind = true;
      const requireGoingOn = (): void => staging.throwIfEnding();
      try {
        await file?.copyBehind(from, { start, end }, staging.thread, requireGoingOn);
      } catch (error) {
        requireGoingOn();
        fail(error);
      }
    },
    end: () => {
      const flushed = isBehind ? guard(() => file?.flush()) : undefined;
      return flushed === undefined ? finish() : flushed.then(finish, fail);
    },
    interrupted: () => file?.interrupted(),
    refuse: (why) =>
      guard(() => {
        file?.discard();
        onResult({ result: 'stale', why });
      }),
  };
}

/** Discards content that is not needed any more. */
export const discardingSink: Sink = { write: () => undefined, end: () => undefined, refuse: () => undefined };
