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
  // Reused in turn: a sink is done with a chunk once its write has resolved, and the next one is read meanwhile.
  const buffers = [
    Buffer.allocUnsafe(Math.min(CHUNK, size)),
    Buffer.allocUnsafe(Math.min(CHUNK, size)),
  ] as const;
  const copyUntil = async (end: number): Promise<void> => {
    const readInto = (
      buffer: Buffer<ArrayBuffer>,
      from: number,
    ): Promise<{ bytesRead: number; buffer: Buffer<ArrayBuffer> }> | undefined =>
      from < end ? readAsync(base, buffer, 0, Math.min(CHUNK, end - from), from) : undefined;
    let reading = readInto(buffers[0], at);
    try {
      for (let turn = 1; reading !== undefined; turn++) {
        const { bytesRead, buffer } = await reading;
        // The base shrank meanwhile, so the hash will not match.
        if (bytesRead === 0) return;
        reading = readInto(buffers[turn % 2 === 0 ? 0 : 1], at + bytesRead);
        await inner.write(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
    } finally {
      // The base is closed when nothing reads from it.
      await reading?.catch(() => undefined);
    }
  };
  return {
    write: async (chunk) => {
      for (let taken = 0; taken < chunk.length;) {
        const [span] = coming;
        if (span === undefined) throw new ArchiveError('more data than in the spans that were named');
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
