import type { Offer } from '#protocol/messages/common.ts';
import type { Outcome } from '#core/changeSet.ts';
import { sameVersion } from '#core/manifest/entry.ts';
import type { MtimeClocks } from '../../directories/mtimeClocks.ts';

/**
 * Notes the clock that gave the accepted versions their mtimes. A version with only a new mode or owner keeps its mtime
 * and its clock.
 * @param clock the MDS's clock minus Main's, nanoseconds
 */
export function noteMtimeClocks(
  mtimeClocks: MtimeClocks,
  offers: readonly Offer[],
  outcomes: readonly Outcome[],
  clock: bigint,
): void {
  const done = new Map(
    outcomes.flatMap(({ step, result }) => (result === 'done' ? [[step.path, step]] : [])),
  );
  for (const offer of offers) {
    if (offer.op !== 'put' && offer.op !== 'metadata') continue;
    if (offer.expect !== null && sameVersion(offer.expect, offer.entry)) continue;
    const step = done.get(offer.path);
    if (step !== undefined) mtimeClocks.note(step.path, step.entry, clock);
  }
}
