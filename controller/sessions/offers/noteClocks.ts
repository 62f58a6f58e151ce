import type { Offer } from '#protocol/messages/common.ts';
import type { Outcome } from '#core/changeSet.ts';
import { sameVersion } from '#core/manifest/entry.ts';
import type { MtimeClocks } from '../../directories/mtimeClocks.ts';

/**
 * Notes by which clock the versions got their time that an agent has just put on Main. What only got another mode or
 * owner there has the time that it had before.
 * @param clock the MDS's clock minus Main's, nanoseconds
 */
export function noteOrigins(
  origins: MtimeClocks,
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
    if (step !== undefined) origins.note(step.path, step.entry, clock);
  }
}
