import { rmSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { createLogger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';
import { Database } from '#sync/state/database.ts';
import { DeferredWriter } from '#sync/state/deferredWriter.ts';
import { LastSeen } from '../../../controller/sessions/lastSeen.ts';
import { memoryFolder } from './memoryFolder.ts';

/** What Main knows of when each MDS was last there. @param file the state of an earlier one, to start again with it */
export function lastSeenOf(
  t: TestContext,
  clock: Clock,
  enrolled: readonly string[],
  file = stateFile(t),
): LastSeen {
  const db = new Database(file);
  t.after(() => db.close());
  const nothing = (): void => undefined;
  const log = createLogger('error', nothing);
  const keeper = new DeferredWriter({ db, clock, log, onNews: nothing, onRecovered: nothing });
  return new LastSeen({ db, keeper, clock, enrolled: new Set(enrolled) });
}

export function stateFile(t: TestContext): string {
  const folder = memoryFolder();
  t.after(() => rmSync(folder, { recursive: true }));
  return path.join(folder, 'state.sqlite');
}
