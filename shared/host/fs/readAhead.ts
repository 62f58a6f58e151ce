import { Buffer } from 'node:buffer';
import { read } from 'node:fs';
import { promisify } from 'node:util';

const readAsync = promisify(read);

/**
 * Reads a part of an open file in the thread pool, each piece while the caller works on the one before it. Who asks for the
 * next piece has to be done with the last one.
 * @param start offset, bytes
 * @param end offset of its end, bytes; it is read to the end of the file when absent
 * @param most bytes of one piece
 * @throws Node's fs errors
 */
export async function* readAhead(
  fd: number,
  { start = 0, end = Infinity, most }: { start?: number; end?: number; most: number },
): AsyncGenerator<Buffer, void, void> {
  const length = Math.min(most, end - start);
  if (length <= 0) return;
  // The second only when there is a second piece.
  const buffers: Buffer[] = [];
  let at = start;
  const begin = (turn: number): ReturnType<typeof next> => {
    const reading = next(turn);
    // Its error is thrown when its turn comes.
    reading.catch(() => undefined);
    return reading;
  };
  const next = (turn: number): Promise<{ bytesRead: number; buffer: Buffer }> =>
    readAsync(fd, (buffers[turn % 2] ??= Buffer.allocUnsafe(length)), 0, Math.min(length, end - at), at);
  let reading = begin(0);
  try {
    for (let turn = 1; ; turn++) {
      const { bytesRead, buffer } = await reading;
      if (bytesRead === 0) return;
      at += bytesRead;
      if (at >= end) return yield buffer.subarray(0, bytesRead);
      reading = begin(turn);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    // Nothing may read from the descriptor once the caller closes it.
    await reading.catch(() => undefined);
  }
}
