import { MAX_PAGE_BYTES } from '#protocol/limits.ts';
import type { ArrivingOffer, Offer, StepResult } from '#protocol/messages/common.ts';
import { bytesInMessage } from '#protocol/pages.ts';

const MAX_DETAIL = 2_000;
/** Size of a result without path and detail, bytes. */
const BESIDE = 60;

/** The offers, if all are valid. Content is matched to offers by position, so one invalid offer fails its set. */
export function offersIn(arrived: readonly ArrivingOffer[]): readonly Offer[] | undefined {
  const offers: Offer[] = [];
  for (const offer of arrived) {
    if (offer.op === 'nonsense') return undefined;
    offers.push(offer);
  }
  return offers;
}

/** Main's answer to a set with invalid offers. */
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

/** The answer to a set of offers in one message: all paths, and as many details as fit. */
export function resultsToSend(results: readonly StepResult[]): StepResult[] {
  let left = MAX_PAGE_BYTES;
  for (const { path } of results) left -= bytesInMessage(path) + BESIDE;
  return results.map(({ path, result, detail }) => {
    const said = detail?.slice(0, MAX_DETAIL);
    left -= said === undefined ? 0 : bytesInMessage(said);
    return { path, result, ...(said !== undefined && left >= 0 && { detail: said }) };
  });
}
