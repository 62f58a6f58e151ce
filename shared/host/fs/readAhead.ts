import { Buffer } from 'node:buffer';
import { read } from 'node:fs';
import { promisify } from 'node:util';

const readAsync = promisify(read);
/** Bytes of one piece. */
const PIECE_BYTES = 512 * 1024;
/** Buffers that are kept: those of two files. */
const MOST_SPARE = 4;
/** The buffers of the last files, for the next: with new ones for each, V8 would collect its whole heap every few dozens. */
const spare: Buffer[] = [];

/**
 * Reads a part of an open file in the thread pool, each piece while the caller works on the one before it. Who asks for the
 * next piece, or for none, has to be done with the last one.
 * @param start offset, bytes
 * @param end offset of its end, bytes; it is read to the end of the file when absent
 * @throws Node's fs errors
 */
export async function* readAhead(
  fd: number,
  { start = 0, end = Infinity }: { start?: number; end?: number } = {},
): AsyncGenerator<Buffer, void, void> {
  if (end <= start) return;
  // The second only when there is a second piece.
  const buffers: Buffer[] = [];
  let at = start;
  const begin = (turn: number): ReturnType<typeof next> => {
    const reading = next(turn);
    // Its error is thrown when its turn comes.
    reading.catch(() => undefined);
    return reading;
  };
  const next = (turn: number): Promise<{ bytesRead: number; buffer: Buffer }> => {
    const buffer = (buffers[turn % 2] ??= spare.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES));
    return readAsync(fd, buffer, 0, Math.min(PIECE_BYTES, end - at), at);
  };
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
    // Nothing may read from the descriptor once the caller closes it, nor into a buffer that is lent again.
    await reading.catch(() => undefined);
    for (const buffer of buffers) if (spare.length < MOST_SPARE) spare.push(buffer);
  }
}
