import { open, stat } from 'node:fs/promises';

/** Bytes of a log that are read after a reload. */
const TAIL_LIMIT = 1024 * 1024;

/** The ends of some logs at one moment. */
export type LogMarks = {
  /** True when none of the logs exists. */
  readonly isWithoutLog: boolean;
  /** The text written since, as Latin-1. */
  readonly readNew: () => Promise<string>;
};

/**
 * Marks the ends of log files. A log that can't be read is ignored: it is one source of evidence among several, and often
 * not readable for this user.
 */
export async function markLogs(paths: readonly string[]): Promise<LogMarks> {
  const marks = await Promise.all(paths.map(async (path) => ({ path, size: await sizeOf(path) })));
  return {
    isWithoutLog: marks.every(({ size }) => size === undefined),
    readNew: async () => {
      const pieces = await Promise.all(marks.map(({ path, size }) => readFrom(path, size ?? 0)));
      return pieces.join('\n');
    },
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

async function readFrom(path: string, from: number): Promise<string> {
  // Shorter than marked: it was rotated meanwhile, and all of it is new.
  const start = ((await sizeOf(path)) ?? 0) < from ? 0 : from;
  try {
    await using file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(TAIL_LIMIT), 0, TAIL_LIMIT, start);
    return buffer.toString('latin1', 0, bytesRead);
  } catch {
    return '';
  }
}
