import { dropCached } from '#host/fs/libc.ts';
import type { ChunkList, ChunkLister } from './chunkList.ts';
import type { Run } from './parts.ts';
import { ArchiveError, type Sink } from './unpack.ts';

/** Bytes of the base that are copied at a time, and need not be in memory afterwards. */
const STEP_BYTES = 8 * 1024 * 1024;
/** Bytes of a part that is not worth a call to the kernel. */
const LITTLE = 512 * 1024;

/** The present version of a file that is replaced. */
export type Base = {
  /** An open file. */
  readonly fd: number;
  /** Its chunks, and where those of the new version are listed. */
  readonly chunks?: { readonly list: ChunkList; readonly lister: ChunkLister | undefined };
};

/** A sink that can take parts of an open file itself. */
export interface CopyingSink extends Sink {
  /**
   * @param from its descriptor
   * @param start offset, bytes
   * @param end offset of the part's end, bytes
   */
  copy(from: number, start: number, end: number): Promise<void>;
}

/**
 * Reassembles a file from content that arrives and from parts of `base`. `inner` verifies the hash of the result.
 * @param runs all parts of the file, in order
 */
export function deltaSink(inner: CopyingSink, { fd, chunks }: Base, runs: readonly Run[]): Sink {
  const coming = [...runs];
  /** Bytes of the first coming run that have arrived. */
  let taken = 0;
  const copyPart = async (start: number, end: number): Promise<void> => {
    for (let at = start; at < end; at += STEP_BYTES) {
      const to = Math.min(at + STEP_BYTES, end);
      // When the base shrank meanwhile, the hash will not match.
      await inner.copy(fd, at, to);
      // The new version takes the place of this one in memory: otherwise it needs as much again, which other files have to
      // leave, or the host of a virtual machine to provide. Pages that reach here from the step before go, too.
      if (to - at > LITTLE) dropCached(fd, at - (at % STEP_BYTES), to);
    }
  };
  const copy = async (): Promise<void> => {
    for (let run = coming[0]; run !== undefined && 'offset' in run; run = coming[0]) {
      coming.shift();
      if (run.chunks !== undefined)
        chunks?.lister?.addListed(chunks.list, run.chunks.first, run.chunks.count);
      await copyPart(run.offset, run.offset + run.bytes);
    }
  };
  return {
    write: async (chunk) => {
      for (let at = 0; at < chunk.length;) {
        await copy();
        const run = coming[0];
        if (run === undefined) throw new ArchiveError('more data than in the parts that were named');
        const piece = chunk.subarray(at, at + run.bytes - taken);
        chunks?.lister?.add(piece);
        await inner.write(piece);
        await chunks?.lister?.caughtUp();
        at += piece.length;
        taken += piece.length;
        if (taken < run.bytes) continue;
        coming.shift();
        taken = 0;
      }
    },
    end: async () => {
      await copy();
      await inner.end();
    },
    refuse: (why) => inner.refuse(why),
    interrupted: () => inner.interrupted?.(),
  };
}
