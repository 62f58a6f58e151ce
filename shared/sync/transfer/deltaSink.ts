import { read } from 'node:fs';
import { promisify } from 'node:util';
import type { Span } from './blocks.ts';
import { ArchiveError, type Sink } from './unpack.ts';

const readAsync = promisify(read);
const CHUNK = 256 * 1024;

/**
 * Reassembles a file from the spans that arrive and from `base` at all other offsets. `inner` verifies the hash of the
 * result.
 * @param base an open file
 * @param size bytes of the whole file
 * @param spans the spans that arrive, in order
 */
export function deltaSink(inner: Sink, base: number, size: number, spans: readonly Span[]): Sink {
  const coming = [...spans];
  let at = 0;
  // Reused for each read: a sink is done with a chunk once its write has resolved.
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, size));
  const copyUntil = async (end: number): Promise<void> => {
    while (at < end) {
      const { bytesRead } = await readAsync(base, buffer, 0, Math.min(CHUNK, end - at), at);
      // The base shrank meanwhile, so the hash will not match.
      if (bytesRead === 0) return;
      await inner.write(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  };
  return {
    write: async (chunk) => {
      for (let taken = 0; taken < chunk.length;) {
        const [span] = coming;
        if (span === undefined) throw new ArchiveError('more came than the spans that were named');
        await copyUntil(span.start);
        const piece = chunk.subarray(taken, taken + span.end - Math.max(at, span.start));
        await inner.write(piece);
        at += piece.length;
        taken += piece.length;
        if (at >= span.end) coming.shift();
      }
    },
    end: async () => {
      await copyUntil(size);
      await inner.end();
    },
    refuse: (why) => inner.refuse(why),
  };
}
