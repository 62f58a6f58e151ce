import { errnoOf } from '#host/fs/errno.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import type { CopyingSink } from '../transfer/deltaSink.ts';
import type { Sink } from '../transfer/unpack.ts';
import type { Staging } from './staging.ts';
import type { StagingResult } from '#core/changeSet.ts';
import type { StagedFile } from './stagedFile.ts';
import { OTHER_CONTENT } from './stageWhole.ts';
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
  /** What became of a file that arrived in one piece. */
  let whole: StagingResult | undefined;
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
  const opened = (): StagedFile => (file ??= staging.file());
  const finish = (): void =>
    guard(() => {
      const staged = file?.finish(entry);
      onResult(staged ? { result: 'staged', staged } : OTHER_CONTENT);
    });
  // The way to the thread pool does not pay for a small file.
  let isBehind = entry.size >= PIECE_BYTES;
  return {
    write: (chunk) => {
      // What has arrived already, or comes from this host, does not end with the connection.
      staging.throwIfEnding();
      if (isBehind) return guard(() => opened().writeBehind(chunk, staging.thread))?.catch(fail);
      if (file !== undefined || chunk.length < entry.size) return guard(() => opened().write(chunk));
      whole = staging.whole(entry, chunk);
      return undefined;
    },
    copy: async (from, start, end) => {
      if (broken) return;
      isBehind = true;
      const requireGoingOn = (): void => staging.throwIfEnding();
      try {
        await opened().copyBehind(from, { start, end }, staging.thread, requireGoingOn);
      } catch (error) {
        requireGoingOn();
        fail(error);
      }
    },
    end: () => {
      if (file === undefined && !broken) return onResult(whole ?? staging.whole(entry, NOTHING));
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

const NOTHING = new Uint8Array();

/** Discards content that is not needed any more. */
export const discardingSink: Sink = { write: () => undefined, end: () => undefined, refuse: () => undefined };
