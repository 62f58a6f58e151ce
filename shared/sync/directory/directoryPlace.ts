import type { Owners } from '#host/fs/owners.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Database } from '../state/database.ts';

/** Where a synchronised directory lies on this host, and what it is read and written with. */
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
  /** Bytes from which on a file is large: see {@link ApplierOptions.resumableFrom}. */
  readonly largeFrom?: number | undefined;
  readonly log: Logger;
};
