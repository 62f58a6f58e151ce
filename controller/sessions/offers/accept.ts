import type { Offer, StepResult } from '#protocol/messages/common.ts';
import type { Outcome, Staged, Step } from '#core/changeSet.ts';
import { atOnce } from '#core/steps.ts';
import type { OnCommit } from '#sync/apply/applierOptions.ts';
import type { Staging } from '#sync/apply/staging.ts';
import type { StagedFile } from '#sync/apply/stagedFile.ts';
import { discardingSink, stagingSink } from '#sync/apply/stagingSink.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import type { Owners } from '#host/fs/owners.ts';
import type { Entry, FileEntry } from '#core/manifest/entry.ts';
import { localise } from '#core/manifest/localise.ts';
import type { IncomingStream } from '#wire/incomingStream.ts';
import { unpackFiles } from '#sync/transfer/unpack.ts';
import { shareOf } from '#sync/trash/trashUsage.ts';
import type { MainDirectory } from '../../directories/mainDirectory.ts';
import { resumeOffsetOf, contentBytes, hasContent, isAsExpected, refuseOffer } from './check.ts';
import { whyTrashIsFull, wouldDisplace } from './displaced.ts';

const CHANGED = "Main's changed meanwhile";

/** An offer being handled: its result, or its staged object. */
type Handled = { readonly offer: Offer; result?: StepResult; staged?: Staged };

/** Context of a set of offers. */
export type Taking = {
  /** The offering MDS. */
  readonly mds: string;
  readonly owners: Owners;
  readonly record: OnCommit;
  /** True when a person asked for exactly these offers: a one-way directory accepts them, too. */
  readonly isGranted?: boolean;
};

/**
 * Accepts an agent's offers: each is checked against Main's rules and its current files, the content is staged and
 * verified, and all accepted offers become visible together.
 *
 * @throws when the stream fails or the archive does not match the offers; nothing becomes visible then
 */
export async function acceptOffers(
  directory: MainDirectory,
  offers: readonly Offer[],
  stream: IncomingStream,
  taking: Taking,
): Promise<{ results: StepResult[]; outcomes: readonly Outcome[] }> {
  await directory.trashShares?.ready();
  // From here to what is promised, nothing else is accepted.
  const handled = offers.map((offer): Handled => ({ offer }));
  check(directory, handled, taking.isGranted === true);
  checkTrash(directory, handled, taking.mds);
  const bytes = handled.reduce((sum, { offer, result }) => sum + (result ? 0 : contentBytes(offer)), 0);
  const displaced = handled.reduce(
    (sum, { offer, result }) => sum + (result ? 0 : wouldDisplace(directory, offer)),
    0,
  );
  // Concurrent offers take these bytes into account.
  directory.promised += bytes;
  const endPromise = directory.trashShares?.promise(taking.mds, displaced);
  try {
    return await take(directory, handled, bytes, stream, taking);
  } finally {
    directory.promised -= bytes;
    endPromise?.();
  }
}

async function take(
  directory: MainDirectory,
  handled: readonly Handled[],
  bytes: number,
  stream: IncomingStream,
  { mds, owners, record }: Taking,
): Promise<{ results: StepResult[]; outcomes: readonly Outcome[] }> {
  using staging = begin(directory, bytes, handled, mds);
  // The stream is read even when all offers are refused, since the agent sends before it knows.
  await receive(handled, stream, staging, { owners, resumableFrom: directory.applier.resumableFrom });
  if (staging === undefined) return { results: resultsOf(handled), outcomes: [] };
  const steps = new Map<Step, Handled>();
  for (const each of handled) {
    if (each.result !== undefined) continue;
    try {
      const step = stepFor(directory, each, staging, owners);
      if (step === undefined) fail(each, 'stale', CHANGED);
      else steps.set(step, each);
    } catch (error) {
      fail(each, 'failed', onMain(errnoOf(error)));
    }
  }
  if (steps.size === 0) return { results: resultsOf(handled), outcomes: [] };
  staging.throwIfEnding();
  let outcomes: readonly Outcome[];
  try {
    ({ outcomes } = await staging.commit([...steps.keys()], record));
  } finally {
    directory.trashShares?.displaced(staging.id, () =>
      staging.withTrashOf(staging.id, (trash) => trash && atOnce(shareOf(trash))),
    );
  }
  for (const { step, result, errno } of outcomes) {
    const each = steps.get(step);
    if (each)
      each.result = { path: step.path, result, ...(errno !== undefined && { detail: onMain(errno) }) };
  }
  return { results: resultsOf(handled), outcomes };
}

function check(directory: MainDirectory, handled: readonly Handled[], isGranted: boolean): void {
  const { maxBytes } = directory.config;
  let total =
    directory.replica.bytes +
    directory.promised +
    (maxBytes === undefined ? 0 : partialBytesBeside(directory, handled));
  for (const each of handled) {
    const refusal = refuseOffer(directory, each.offer, isGranted);
    if (refusal !== undefined) fail(each, 'refused', refusal);
    else if (!isAsExpected(directory, each.offer)) fail(each, 'stale', CHANGED);
    else if (maxBytes !== undefined && (total += contentBytes(each.offer)) > maxBytes) {
      // The size of the directory is limited, so that a faulty or compromised MDS can't fill Main's disk.
      fail(each, 'refused', `"${directory.name}" would exceed its maxBytes (${maxBytes})`);
    }
  }
}

/** Content that MDS replace or remove stays in Main's trash, which is limited for each MDS. */
function checkTrash(directory: MainDirectory, handled: readonly Handled[], mds: string): void {
  const { trashShares, config } = directory;
  if (trashShares === undefined || config.maxBytes === undefined) return;
  let total = trashShares.of(mds);
  for (const each of handled) {
    if (each.result !== undefined) continue;
    const more = wouldDisplace(directory, each.offer);
    if (more > 0 && total + more > config.maxBytes) fail(each, 'refused', whyTrashIsFull(directory, mds));
    else total += more;
  }
}

/** Partial files count towards the limit of the directory, except those that these offers resume. */
function partialBytesBeside({ applier }: MainDirectory, handled: readonly Handled[]): number {
  try {
    return Math.max(
      0,
      applier.totalPartialBytes() - handled.reduce((sum, { offer }) => sum + resumeOffsetOf(offer), 0),
    );
  } catch {
    // The directory can't be opened; staging reports the error.
    return 0;
  }
}

function begin(
  directory: MainDirectory,
  bytes: number,
  handled: readonly Handled[],
  mds: string,
): Staging | undefined {
  try {
    return directory.applier.begin(bytes, mds);
  } catch (error) {
    for (const each of handled) fail(each, 'failed', onMain(errnoOf(error)));
    return undefined;
  }
}

type Receiving = {
  readonly owners: Owners;
  /** Size from which an interrupted transfer is resumed, bytes. */
  readonly resumableFrom: number;
};

async function receive(
  handled: readonly Handled[],
  stream: IncomingStream,
  staging: Staging | undefined,
  { owners, resumableFrom }: Receiving,
): Promise<void> {
  const contents = handled.filter(({ offer }) => hasContent(offer));
  if (contents.length === 0) return;
  const sizes = contents.map(({ offer }) => contentBytes(offer) - resumeOffsetOf(offer));
  const resumed = staging && (await openResumed(contents, staging, { owners, resumableFrom }));
  await unpackFiles(stream, sizes, (number) => {
    const each = contents[number];
    if (each === undefined || staging === undefined || each.result !== undefined || !hasContent(each.offer)) {
      return discardingSink;
    }
    const entry = localise(each.offer.entry, owners) as FileEntry;
    return stagingSink(
      staging,
      entry,
      (outcome) => {
        if (outcome.result === 'staged') each.staged = outcome.staged;
        else fail(each, outcome.result, onMain(outcome.why));
      },
      resumed?.get(each),
    );
  });
}

/** Opens the partial files of resumed offers. One whose size is not the announced resume offset is sent from the start. */
async function openResumed(
  contents: readonly Handled[],
  staging: Staging,
  { owners, resumableFrom }: Receiving,
): Promise<Map<Handled, StagedFile>> {
  const resumed = new Map<Handled, StagedFile>();
  for (const each of contents) {
    const { offer } = each;
    if (each.result !== undefined || !hasContent(offer) || contentBytes(offer) < resumableFrom) continue;
    try {
      const file = await staging.resume(localise(offer.entry, owners) as FileEntry);
      if (file.size === resumeOffsetOf(offer)) resumed.set(each, file);
      else fail(each, 'stale', "Main's partial copy has changed since its size was requested");
    } catch (error) {
      staging.throwIfEnding();
      fail(each, 'failed', onMain(errnoOf(error)));
    }
  }
  return resumed;
}

/** @returns undefined when Main's version changed while the content arrived */
function stepFor(
  { replica }: MainDirectory,
  { offer, staged }: Handled,
  staging: Staging,
  owners: Owners,
): Step | undefined {
  const { path, reason } = offer;
  const object = (entry: Entry): Staged => {
    const placed = entry.type === 'file' ? staged : staging.bare(entry);
    if (placed === undefined) throw new Error('its content was not received');
    return placed;
  };
  if (offer.op === 'keep' || (offer.op === 'put' && offer.expect === null)) {
    const entry = localise(offer.entry, owners);
    const common = { path, entry, staged: object(entry), reason };
    return offer.op === 'keep' ? { kind: 'keep', ...common } : { kind: 'put', expect: undefined, ...common };
  }
  const expect = offer.expect === null ? undefined : replica.stampOf(path, offer.expect);
  if (expect === undefined) return undefined;
  if (offer.op === 'remove') return { kind: 'remove', path, entry: offer.expect, expect, reason };
  const entry = localise(offer.entry, owners);
  if (offer.op === 'metadata') return { kind: 'metadata', path, entry, expect, reason };
  return { kind: 'put', path, entry, expect, staged: object(entry), reason };
}

/** Names Main as the host of the error, since the message is shown on the MDS. */
export function onMain(why: string): string {
  return `on Main: ${withRemedy(why)}`;
}

function fail(each: Handled, result: StepResult['result'], detail: string): void {
  each.result ??= { path: each.offer.path, result, detail };
}

function resultsOf(handled: readonly Handled[]): StepResult[] {
  return handled.map(
    ({ offer, result }) => result ?? { path: offer.path, result: 'failed', detail: 'not handled' },
  );
}
