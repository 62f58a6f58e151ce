import type { Decision } from '#core/plan/decision.ts';
import type { Decisions } from '#core/plan/decisions.ts';
import type { Moves } from './moves.ts';
import { bytesToTravel, type Room } from './schedule.ts';
import { isToMain } from './upload.ts';

export type ReadyOptions = {
  /** False for what is in progress, or has to wait after a failure. */
  readonly isDue: (path: string) => boolean;
  /** Size from which a file is transferred alone, bytes. */
  readonly largeFrom: number;
  /** How many small files are considered. */
  readonly room: Room;
  readonly moves: Moves;
  /** What has just changed is considered in any case. */
  readonly live: ReadonlySet<string>;
};

/**
 * The actions that may be started now. Of very many small files only the first each way are considered: of 100,000, each of
 * fifty change sets would otherwise be chosen from all that are left. The present name of a file that is to be renamed comes
 * with the new one, not without it. Pure.
 */
export function readyOf(pending: Decisions, options: ReadyOptions): Map<string, Decision> {
  const { isDue, largeFrom, room, moves, live } = options;
  const isReady = (path: string): boolean => pending.has(path) && isDue(path);
  const ready = new Map<string, Decision>();
  const add = (path: string): void => {
    const decision = pending.get(path);
    if (decision !== undefined) ready.set(path, decision);
  };
  const left = { ...room };
  pending.forEach((path, kind, newBytes) => {
    const way = isToMain(kind) ? 'upload' : 'download';
    const isConsidered = left[way] > 0 || (newBytes ?? bytesAt(pending, path)) >= largeFrom || live.has(path);
    if (!isConsidered || !isDue(path)) return;
    const to = moves.to.get(path);
    if (to !== undefined && isReady(to)) return;
    add(path);
    left[way] -= 1;
    const from = moves.from.get(path);
    if (from !== undefined && isDue(from)) add(from);
  });
  return ready;
}

function bytesAt(pending: Decisions, path: string): number {
  const decision = pending.get(path);
  return decision === undefined ? 0 : bytesToTravel(decision);
}
