import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What is read of a log after a reload. A reload that says more has said enough. */
const TAIL_LIMIT = 1024 * 1024;

/**
 * Marks the ends of those log files of a folder that are wanted; the returned function reads what was written
 * since, as Latin-1. A log that can't be read tells nothing: it is one witness among several, and often not
 * readable for this user.
 */
export async function markLogs(
  folder: string,
  isWanted: (path: string) => boolean,
): Promise<() => Promise<string>> {
  const names = await readdir(folder).catch((): string[] => []);
  const paths = names.map((name) => join(folder, name)).filter(isWanted);
  const marks = await Promise.all(paths.map(async (path) => ({ path, from: await sizeOf(path) })));
  return async () => {
    const pieces = await Promise.all(marks.map(({ path, from }) => readFrom(path, from)));
    return pieces.join('\n');
  };
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function readFrom(path: string, from: number): Promise<string> {
  // Shorter than marked: it was rotated meanwhile, and all of it is new.
  const start = (await sizeOf(path)) < from ? 0 : from;
  try {
    await using file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(TAIL_LIMIT), 0, TAIL_LIMIT, start);
    return buffer.toString('latin1', 0, bytesRead);
  } catch {
    return '';
  }
}
