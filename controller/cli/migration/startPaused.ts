import { mkdirSync } from 'node:fs';
import { NotRunning } from '#host/control/controlClient.ts';
import { Database } from '#sync/state/database.ts';
import { FOR_GOOD } from '../../conditions/forGood.ts';
import { rememberPause } from '../../daemon/pause.ts';
import { ask } from '../ask.ts';
import type { Context } from '../context.ts';

/** Pauses synchronisation until a person resumes it: in the running controller, or for the next start. */
export async function pauseForGood(context: Context): Promise<void> {
  try {
    await ask(context, 'pause', { forMs: FOR_GOOD - Date.now() });
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error;
    const { stateFolder, stateFile } = context.places;
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    const db = new Database(stateFile);
    try {
      rememberPause(db, FOR_GOOD);
    } finally {
      db.close();
    }
  }
}
