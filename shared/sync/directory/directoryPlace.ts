import type { Owners } from '#host/fs/owners.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Lane } from '#host/process/turns.ts';
import type { Clock } from '#host/time/clock.ts';
import type { StagingThread } from '../apply/thread/stagingThread.ts';
import type { Database } from '../state/database.ts';

/** The path of a synchronised directory on this host, and the options for reading and writing it. */
export type DirectoryPlace = {
  /** Absolute path of the synchronised directory on this host. */
  readonly path: string;
  /** Relative paths of the synchronised directories inside this one. */
  readonly nested: ReadonlySet<string>;
  readonly db: Database;
  readonly owners: Owners;
  readonly clock: Clock;
  /** Free bytes that must remain on the file system. */
  readonly reserve: number;
  /** Size from which a file is large, bytes: see {@link Receiving.resumableFrom}. */
  readonly largeFrom?: number | undefined;
  /** See {@link Receiving.thread}. */
  readonly thread?: StagingThread | undefined;
  /** The turns of its long work; without it, none is waited for. */
  readonly lane?: Lane | undefined;
  readonly log: Logger;
};
