import type { Offer, StepResult } from '#protocol/messages/common.ts';
import type { FromAgent, FromMain } from '#protocol/messages/session.ts';
import type { Outcome } from '#core/changeSet.ts';
import type { OnCommit } from '#sync/apply/applierOptions.ts';
import { errnoOf } from '#host/fs/errno.ts';
import type { HostServices } from '#host/hostServices.ts';
import type { IncomingStream } from '#wire/incomingStream.ts';
import { stillAtWork } from '#wire/stillAtWork.ts';
import type { MainDirectory } from '../../directories/mainDirectory.ts';
import { acceptOffers, onMain } from './accept.ts';
import { resumeOffsetOf, contentBytes, hasContent } from './check.ts';
import type { Transfer, Traffic } from '../content/traffic.ts';
import { type Grant, grantedOffers } from './grant.ts';
import { noteMtimeClocks } from './noteClocks.ts';
import { offersIn, refuseSet, resultsToSend } from './results.ts';

type Request = Extract<FromAgent, { type: 'offer' }>;

export type TakingOptions = {
  readonly mds: string;
  readonly host: HostServices;
  readonly line: {
    openIncoming(stream: number, urgent: boolean): IncomingStream;
    send(message: FromMain): void;
    /** The peer broke the protocol. */
    violation(what: string): void;
  };
  readonly traffic: Traffic;
  readonly isUrgent: boolean;
  /** The agent's clock minus Main's, nanoseconds. */
  readonly clockOffset: () => bigint;
  /** A person's permission, if this set has one. */
  readonly grant: Grant | undefined;
  readonly recorder: (conflicts: ReadonlySet<string>, grant: Grant | undefined) => OnCommit;
};

/** Handles a set of offers and answers each one. */
export async function takeOffers(
  directory: MainDirectory,
  { stream: id, offers: arrived }: Request,
  options: TakingOptions,
): Promise<void> {
  const valid = offersIn(arrived);
  if (valid === undefined) return refuse(id, refuseSet(arrived), options);
  const granted = options.grant && grantedOffers(options.grant, directory.name, valid);
  const grant = granted && options.grant;
  const offers = granted ?? valid;
  const { line, mds, host } = options;
  const { log, clock, owners } = host;
  const conflicts = new Set(offers.flatMap((offer) => (isConflict(offer) ? [offer.path] : [])));
  try {
    const stream = line.openIncoming(id, options.isUrgent);
    const ended = options.traffic.begin(transferOf(directory.name, offers, stream));
    const inHistory = options.recorder(conflicts, grant);
    const before = directory.versions?.log.newest ?? 0;
    let changeSetId = '';
    const record: OnCommit = (changeSet, done) => {
      changeSetId = changeSet.id;
      inHistory(changeSet, done);
      noteMtimeClocks(directory.mtimeClocks, offers, done, options.clockOffset());
    };
    // Hashing a partial file again and making a change set durable may both take long.
    const say = (): void => line.send({ type: 'credit', stream: id, bytes: 0 });
    let accepted: Awaited<ReturnType<typeof acceptOffers>>;
    try {
      accepted = await stillAtWork(clock, say, () =>
        acceptOffers(directory, offers, stream, { mds, owners, record, isGranted: grant !== undefined }),
      );
      ended(true);
    } finally {
      ended(false);
    }
    const { results, outcomes } = accepted;
    // Without content there is no stream.
    if (!offers.some(hasContent)) stream.end();
    adopt(directory, outcomes, { mds, changeSet: changeSetId, grant, before });
    line.send({ type: 'offer-result', stream: id, results: resultsToSend(results) });
  } catch (error) {
    log.warn('offer was not taken', { directory: directory.name, error });
    const detail = onMain(errnoOf(error));
    const results = offers.map(({ path }) => ({ path, result: 'failed' as const, detail }));
    line.send({ type: 'offer-result', stream: id, results: resultsToSend(results) });
  }
}

function transferOf(directory: string, offers: readonly Offer[], stream: IncomingStream): Transfer {
  const withContent = offers.filter(hasContent);
  return {
    directory,
    direction: 'to-main',
    path: withContent[0]?.path ?? '',
    files: withContent.length,
    bytesTotal: withContent.reduce((sum, offer) => sum + contentBytes(offer) - resumeOffsetOf(offer), 0),
    moved: () => stream.received,
  };
}

/**
 * Adopts the visible changes. A change that a person asked for can be rolled back by its change set.
 * @param before the newest revision before the offers were taken
 */
function adopt(
  directory: MainDirectory,
  outcomes: readonly Outcome[],
  {
    mds,
    changeSet,
    grant,
    before,
  }: { mds: string; changeSet: string; grant: Grant | undefined; before: number },
): void {
  directory.adopt(outcomes, { actor: grant?.actor ?? mds, save: changeSet });
  const done = outcomes.flatMap(({ step, result }) => (result === 'done' ? [step.path] : []));
  if (grant === undefined || done.length === 0) return;
  directory.versions?.appliedRevisions.placeOwn(directory.name, changeSet, outcomes, before);
  grant.onDone(changeSet, done);
}

/** Refuses a set of offers with its content. */
function refuse(stream: number, results: StepResult[], { line }: TakingOptions): void {
  try {
    line.openIncoming(stream, false).cancel('an offer is invalid');
  } catch (error) {
    // Its stream number is in use, which is a violation, too.
    return line.violation(errnoOf(error));
  }
  line.send({ type: 'offer-result', stream, results: resultsToSend(results) });
}

function isConflict(offer: { op: string; conflict?: boolean }): boolean {
  return offer.op === 'keep' || offer.conflict === true;
}
