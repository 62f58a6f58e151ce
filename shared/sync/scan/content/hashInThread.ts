import type { StagingThread } from '../../apply/thread/stagingThread.ts';

/** What is hashed at a time: in between, the thread does whatever else is asked of it. Bytes. */
const PART_BYTES = 4 * 1024 * 1024;

/**
 * SHA-256 of an open file by another thread, in hexadecimal, while this one does something else with the same bytes.
 * @param size its bytes; where it has become shorter, those that there are count
 * @param onPart called before each part; an error of it ends the reading
 * @throws that it could not be read, or that the thread has ended; errors of `onPart`
 */
export async function hashInThread(
  fd: number,
  size: number,
  thread: StagingThread,
  onPart: () => void,
): Promise<string> {
  using lent = thread.lend();
  try {
    for (let at = 0; at < size; at += PART_BYTES) {
      onPart();
      await lent.thread.hash(fd, at, Math.min(PART_BYTES, size - at));
    }
  } catch (error) {
    // What the thread knows of the file goes, too: its descriptor's number will be another one's.
    await lent.thread.endOf(fd).catch(() => undefined);
    throw error;
  }
  return await lent.thread.endOf(fd);
}
