import type { Decision } from '#core/plan/decision.ts';
import { bytesToTravel } from './schedule.ts';

/** Small files that are considered at once: twice as many as are started together. */
const ENOUGH = 5_600;

export type ReadyOptions = {
  /** False for what is in progress, or has to wait after a failure. */
  readonly isDue: (path: string) => boolean;
  /** Size from which a file is transferred alone, bytes. */
  readonly largeFrom: number;
  /** All of it, however much it is. */
  readonly all: boolean;
};

/**
 * The actions that may be started now. Of very many small files only the first are considered: of 100,000, each of fifty
 * change sets would otherwise be chosen from all that are left. Pure.
 */
export function readyOf(
  pending: ReadonlyMap<string, Decision>,
  options: ReadyOptions,
): Map<string, Decision> {
  // A file that is renamed is found among all names that are removed.
  const all = options.all || pending.values().some(isRemoval);
  const ready = new Map<string, Decision>();
  let small = 0;
  for (const [path, decision] of pending) {
    const isAmongFirst = all || small < ENOUGH || bytesToTravel(decision) >= options.largeFrom;
    if (!isAmongFirst || !options.isDue(path)) continue;
    ready.set(path, decision);
    small += 1;
  }
  return ready;
}

function isRemoval({ kind }: Decision): boolean {
  return kind === 'remove' || kind === 'remove-on-main';
}
