import { existsSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** The version of the state's tables; 0 when there is no state, or none that can be read. */
export function schemaOf(stateFile: string): number {
  if (!existsSync(stateFile)) return 0;
  try {
    const db = new DatabaseSync(stateFile, { readOnly: true });
    try {
      return Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    } finally {
      db.close();
    }
  } catch {
    // The agent itself sets a damaged state aside.
    return 0;
  }
}

/** Moves a state out of the way and keeps it: the agent builds another one from disk, and infers no removal. */
export function setStateAside(stateFile: string): void {
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(stateFile + suffix)) renameSync(stateFile + suffix, `${stateFile}.newer${suffix}`);
  }
}
