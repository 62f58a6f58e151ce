import type { Stamp } from '../disk/stamp.ts';
import type { Entry } from '../manifest/entry.ts';

/** What a host remembers of one directory between runs, so that it need not read every byte again. */
export interface ScanIndex {
  load(): Iterable<{ path: string; stamp: Stamp; entry: Entry }>;
  save(changes: ReadonlyMap<string, { stamp: Stamp; entry: Entry } | undefined>): void;
  /** Device and inode of the directory itself. */
  rootIdentity(): string | undefined;
  setRootIdentity(identity: string): void;
}
