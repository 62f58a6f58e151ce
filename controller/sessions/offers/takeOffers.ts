import type { Offer, StepResult } from '#protocol/messages/common.ts';
import type { FromAgent, FromMain } from '#protocol/messages/session.ts';
import type { Outcome } from '#core/changeSet.ts';
import type { OnCommit } from '#sync/apply/applier.ts';
import { errnoOf } from '#host/fs/errno.ts';
import type { Owners } from '#host/fs/owners.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';
import type { IncomingStream } from '#wire/incomingStream.ts';
import { stillAtWork } from '#wire/stillAtWork.ts';
import type { MainDirectory } from '../../directories/mainDirectory.ts';
import { acceptOffers, onMain } from './accept.ts';
import { resumeOffsetOf, contentBytes, hasContent } from './check.ts';
import type { Transfer, Traffic } from '../traffic.ts';
import { type Grant, grantedOffers } from './grant.ts';
import { noteOrigins } from './noteClocks.ts';
import { offersIn, refuseSet, resultsToSend } from './results.ts';

type Request = Extract<FromAgent, { type: 'offer' }>;

export type TakingOptions = {
  readonly mds: string;
  readonly owners: Owners;
  readonly clock: Clock;
  readonly log: Logger;
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
  /** What a person lets this MDS put here now, if so. */
  readonly grant: Grant | undefined;
  readonly recorder: (conflicts: ReadonlySet<string>, grant: Grant | undefined) => OnCommit;
};

/** Takes what an agent offers, and answers it, offer by offer. */
export async function takeOffers(
  directory: MainDirectory,
  { stream: id, offers: arrived }: Request,
  options: TakingOptions,
): Promise<void> {
  const told = offersIn(arrived);
  if (told === undefined) return refuse(id, refuseSet(arrived), options);
  const granted = options.grant && grantedOffers(options.grant, directory.name, told);
  const grant = granted && options.grant;
  const offers = granted ?? told;
  const { line, log, clock, mds, owners } = options;
  const conflicts = new Set(offers.flatMap((offer) => (isConflict(offer) ? [offer.path] : [])));
  try {
    const stream = line.openIncoming(id, options.isUrgent);
    const ended = options.traffic.begin(transferOf(directory.name, offers, stream));
    const inHistory = options.recorder(conflicts, grant);
    let changeSetId = '';
    const record: OnCommit = (changeSet, done) => {
      changeSetId = changeSet.id;
      inHistory(changeSet, done);
      noteOrigins(directory.origins, offers, done, options.clockOffset());
    };
    // What has come of a large file is hashed again, and a change set is made durable: both take their time.
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
    // Without content nothing comes on the stream.
    if (!offers.some(hasContent)) stream.end();
    adopt(directory, outcomes, { mds, changeSet: changeSetId, grant });
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

/** Takes over what became visible. What a person asked for can be rolled back by its change set. */
function adopt(
  directory: MainDirectory,
  outcomes: readonly Outcome[],
  { mds, changeSet, grant }: { mds: string; changeSet: string; grant: Grant | undefined },
): void {
  const { versions } = directory;
  const newest = versions?.log.newest ?? 0;
  directory.adopt(outcomes, grant?.actor ?? mds);
  const done = outcomes.flatMap(({ step, result }) => (result === 'done' ? [step.path] : []));
  if (grant === undefined || done.length === 0) return;
  if (versions !== undefined && versions.log.newest > newest)
    versions.takenOver.place(directory.name, changeSet, newest + 1);
  grant.onDone(changeSet, done);
}

/** Takes nothing of a set of offers, and no content. */
function refuse(stream: number, results: StepResult[], { line }: TakingOptions): void {
  try {
    line.openIncoming(stream, false).cancel('an offer makes no sense');
  } catch (error) {
    // Its number is one that is in use: that is no sense either.
    return line.violation(errnoOf(error));
  }
  line.send({ type: 'offer-result', stream, results: resultsToSend(results) });
}

function isConflict(offer: { op: string; conflict?: boolean }): boolean {
  return offer.op === 'keep' || offer.conflict === true;
}
