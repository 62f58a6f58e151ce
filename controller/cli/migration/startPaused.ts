import { existsSync, mkdirSync } from 'node:fs';
import { NotRunning } from '#host/control/controlClient.ts';
import { Database } from '#sync/state/database.ts';
import { FOR_GOOD, isForGood } from '../../conditions/forGood.ts';
import { rememberedPause, rememberPause } from '../../daemon/pause.ts';
import { ask } from '../ask.ts';
import type { Context } from '../context.ts';

/** Whether synchronisation is paused until a person resumes it. */
export async function isPausedForGood(context: Context): Promise<boolean> {
  try {
    const { pausedUntil } = (await ask(context, 'status', {})).main;
    return pausedUntil !== null && isForGood(pausedUntil);
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error;
    const { stateFile } = context.places;
    if (!existsSync(stateFile)) return false;
    const db = new Database(stateFile);
    try {
      return isForGood(new Date(rememberedPause(db)).toISOString());
    } finally {
      db.close();
    }
  }
}

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
