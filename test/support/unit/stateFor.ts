import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { Database } from '#sync/state/database.ts';

/** Where the state of one test may be. */
export function stateFileFor(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-state-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, 'state.sqlite');
}

/** A state for one test, or the one that an earlier run left in this file. */
export function stateFor(t: TestContext, file: string = stateFileFor(t)): Database {
  const db = new Database(file);
  t.after(() => db.close());
  return db;
}
