import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '#host/log/logger.ts';
import { Database } from './database.ts';
import { asStateError, DamagedState, StateError } from './stateError.ts';
import { STATE_RETRY } from './deferredWriter.ts';
import { setAsideState } from './stateFile.ts';

/** Interval of the check for damage from outside, milliseconds. */
const LOOK_EVERY = 5_000;

export type StateOptions = {
  readonly log: Logger;
  /** Ends the wait for a state that can't be opened. */
  readonly signal: AbortSignal;
  /** Called with the reason while there is no usable state. */
  readonly onWaiting: (why: string) => void;
};

/**
 * Runs a daemon's work on the state as soon as it can be opened, instead of exiting and being restarted again and again.
 * Whenever the state is found damaged, it is set aside and the work starts again on a new one.
 * @param work must end soon once `db.damaged` is aborted
 * @throws what `work` throws, except for damage; an error when a newer version of the program wrote the state
 */
export async function runOnState(
  file: string,
  options: StateOptions,
  work: (db: Database) => Promise<void>,
): Promise<void> {
  const { log } = options;
  let damage: unknown;
  for (;;) {
    const db = await openState(file, options, damage);
    if (db === undefined) return;
    const looking = setInterval(() => db.lookForDamage(), LOOK_EVERY);
    try {
      await work(db);
      if (!db.damaged.aborted) return;
    } catch (error) {
      if (!(error instanceof DamagedState) && !db.damaged.aborted) throw error;
      log.debug('the work on the damaged state ended', { error });
    } finally {
      clearInterval(looking);
      db.close();
    }
    damage = db.damaged.reason;
  }
}

/**
 * @param damage why the existing state is unusable; it is set aside first
 * @returns undefined when the signal was aborted first
 */
async function openState(
  file: string,
  { log, signal, onWaiting }: StateOptions,
  damage: unknown,
): Promise<Database | undefined> {
  let lastLogged: string | undefined;
  let damaged = damage;
  while (!signal.aborted) {
    try {
      if (damaged !== undefined) onWaiting(setAside(file, damaged, log));
      damaged = undefined;
      return new Database(file);
    } catch (caught) {
      if (caught instanceof DamagedState) {
        damaged = caught;
        continue;
      }
      // Setting aside may fail like any other write, and is retried, too.
      const error = asStateError(caught, file);
      if (!(error instanceof StateError)) throw error;
      if (lastLogged !== error.message) log.error('the state can not be used; it is tried again', { error });
      lastLogged = error.message;
      onWaiting(lastLogged);
    }
    await sleep(STATE_RETRY, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

function setAside(file: string, damage: unknown, log: Logger): string {
  const reason = damage instanceof Error ? damage.message : String(damage);
  const { file: kept } = setAsideState(file, Date.now());
  log.error('the state was damaged; a new one is built', { kept, reason });
  return reason;
}
