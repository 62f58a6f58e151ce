import { MAX_PAGE_BYTES } from '#protocol/limits.ts';
import type { ArrivingOffer, Offer, StepResult } from '#protocol/messages/common.ts';
import { bytesInMessage } from '#protocol/pages.ts';

const MAX_DETAIL = 2_000;
/** What a result takes beside its path and detail, bytes. */
const BESIDE = 60;

/** The offers, when all of them make sense: content follows by their number, so that one that does not costs its set. */
export function offersIn(arrived: readonly ArrivingOffer[]): readonly Offer[] | undefined {
  const offers: Offer[] = [];
  for (const offer of arrived) {
    if (offer.op === 'nonsense') return undefined;
    offers.push(offer);
  }
  return offers;
}

/** Main's word on a set of offers of which some make no sense. */
export function refuseSet(arrived: readonly ArrivingOffer[]): StepResult[] {
  return arrived.map((offer) => ({
    path: offer.path,
    result: 'refused',
    detail:
      offer.op === 'nonsense'
        ? `Main does not understand the offer (${offer.reason}): are both sides up to date?`
        : 'Main does not understand another offer of the same change set',
  }));
}

/** What one message can say of a set of offers: all paths, and details as far as they fit. */
export function resultsToSend(results: readonly StepResult[]): StepResult[] {
  let left = MAX_PAGE_BYTES;
  for (const { path } of results) left -= bytesInMessage(path) + BESIDE;
  return results.map(({ path, result, detail }) => {
    const said = detail?.slice(0, MAX_DETAIL);
    left -= said === undefined ? 0 : bytesInMessage(said);
    return { path, result, ...(said !== undefined && left >= 0 && { detail: said }) };
  });
}
