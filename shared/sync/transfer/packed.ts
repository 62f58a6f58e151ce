import type { Stamp } from '#core/manifest/stamp.ts';
import type { ChunkList } from './chunkList.ts';
import type { BaseDigests } from './difference.ts';

/** One file to send. It must still have the stamp under which it was hashed. */
export type Packed = {
  readonly path: string;
  readonly size: number;
  /** Resume offset: bytes that the other side already has; 0 when absent. */
  readonly from?: number;
  /** What the other side's version consists of: only what it lacks is sent. */
  readonly base?: BaseDigests | undefined;
  /** The chunks of this side's version, if they are known: then they are not listed again. */
  readonly own?: ChunkList | undefined;
  /** Set when it is known already that the file can't be sent. */
  readonly refusal?: string;
  readonly stamp: Stamp;
};
