import { mkdtempSync, realpathSync, statfsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const MEMORY = '/dev/shm';
/** Free bytes from which on it is used. */
const ROOM = 200_000_000;

/** A new folder, in memory where this host has that: what is made durable there costs no time. The caller removes it. */
export function memoryFolder(): string {
  return realpathSync(mkdtempSync(path.join(hasRoom() ? MEMORY : os.tmpdir(), 'xds-unit-')));
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > ROOM;
  } catch {
    return false;
  }
}
