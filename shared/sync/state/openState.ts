import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '#host/log/logger.ts';
import { Database } from './database.ts';
import { StateError } from './stateError.ts';
import { STATE_RETRY } from './deferredWriter.ts';

/**
 * Opens the state, as soon as its disk lets it: to end and be started over and over would help nobody.
 * @param tell hears why it still can't be opened
 * @returns undefined when the signal came first
 * @throws when it was written by a newer version of the program
 */
export async function openState(
  file: string,
  options: { readonly log: Logger; readonly signal: AbortSignal; readonly tell: (why: string) => void },
): Promise<Database | undefined> {
  const { log, signal, tell } = options;
  let told: string | undefined;
  while (!signal.aborted) {
    try {
      const db = new Database(file);
      if (db.setAside !== undefined)
        log.error('the state was damaged; a new one is built', { kept: db.setAside });
      return db;
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      if (told !== error.message) log.error('the state can not be used; it is tried again', { error });
      told = error.message;
      tell(told);
    }
    await sleep(STATE_RETRY, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}
