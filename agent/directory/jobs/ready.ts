import type { Decision } from '#core/plan/decision.ts';
import type { Decisions } from '#core/plan/decisions.ts';
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
export function readyOf(pending: Decisions, options: ReadyOptions): Map<string, Decision> {
  // A file that is renamed is found among all names that are removed.
  const all = options.all || pending.others().some(isRemoval);
  const ready = new Map<string, Decision>();
  let small = 0;
  for (const path of pending.keys()) {
    const isAmongFirst = all || small < ENOUGH || bytesAt(pending, path) >= options.largeFrom;
    const decision = isAmongFirst && options.isDue(path) ? pending.get(path) : undefined;
    if (decision === undefined) continue;
    ready.set(path, decision);
    small += 1;
  }
  return ready;
}

function bytesAt(pending: Decisions, path: string): number {
  const bytes = pending.newBytesAt(path);
  if (bytes !== undefined) return bytes;
  const decision = pending.get(path);
  return decision === undefined ? 0 : bytesToTravel(decision);
}

function isRemoval([, { kind }]: readonly [path: string, decision: Decision]): boolean {
  return kind === 'remove' || kind === 'remove-on-main';
}
