import type { Offer, StepResult } from '#protocol/messages/common.ts';
import { isFarTime } from '#protocol/capabilities.ts';
import { pagesOf } from '#protocol/pages.ts';
import { makeDurable } from '#host/fs/fsync.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { bytesOf, type Entry, sameEntry } from '#core/manifest/entry.ts';
import { parentOf } from '#core/path/relative.ts';
import type { Decision } from '#core/plan/decision.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { packArchive } from '#sync/transfer/packing/packArchive.ts';
import type { Packed } from '#sync/transfer/packed.ts';
import type { AgentSession } from '../../connection/agentSession.ts';
import type { JobResult } from './download.ts';
import type { TransferSlots } from './transferSlots.ts';

/** Entries that are sent to Main. */
export type Outgoing = Extract<Decision, { kind: 'upload' | 'remove-on-main' | 'lose' }>;

/** True for what is sent to Main. */
export function isOutgoing(decision: Decision): decision is Outgoing {
  return isToMain(decision.kind);
}

/** The same by the kind of a decision alone. */
export function isToMain(kind: Decision['kind']): boolean {
  return kind === 'upload' || kind === 'remove-on-main' || kind === 'lose';
}

export type UploadJob = {
  readonly directory: string;
  readonly items: ReadonlyMap<string, Outgoing>;
  readonly session: AgentSession;
  readonly replica: Replica;
  /** Size from which an interrupted transfer is resumed, bytes. */
  readonly resumableFrom: number;
  /** Its content waits for a slot; absent for what must not wait for others, or must not let them wait. */
  readonly slots?: TransferSlots | undefined;
};

/**
 * Uploads one change set to Main.
 * @returns Main's result for each path
 * @throws when the connection is lost, or Main refuses the archive
 */
export async function upload({
  directory,
  items,
  session,
  replica,
  resumableFrom,
  slots,
}: UploadJob): Promise<Map<string, JobResult>> {
  const stale = new Map<string, JobResult>();
  const offers = [...items].flatMap(([path, item]) => {
    if (!isStillSo(replica, path, item)) stale.set(path, { result: 'stale' });
    else if (!session.mainCapabilities.has('far-times') && isFar(item)) stale.set(path, FAR);
    else return [offerOf(path, item)];
    return [];
  });
  if (offers.length === 0) return stale;
  // While others send, and the content is on its way: Main makes nothing visible before the end of the archive.
  const isDurable = makeOfferedDurable(replica.path, offers);
  // Its error comes where it is waited for.
  isDurable.catch(() => undefined);
  using slot = await slots?.take();
  // It may have waited for long.
  const { same = [], other = [] } = Object.groupBy(offers, ({ path }) =>
    isStillSo(replica, path, items.get(path)) ? 'same' : 'other',
  );
  for (const { path } of other) stale.set(path, { result: 'stale' });
  const results = new Map(stale);
  for (const page of pagesOf(same)) {
    for (const [path, result] of await offerPage(directory, page, {
      session,
      replica,
      resumableFrom,
      isDurable,
      slot,
    }))
      results.set(path, result);
  }
  return results;
}

type Offering = {
  readonly session: AgentSession;
  readonly replica: Replica;
  readonly resumableFrom: number;
  /** Resolves when what is offered is durable here; Main must not make it visible before. */
  readonly isDurable: Promise<void>;
  /** Given back as soon as the content has been sent: Main makes it durable meanwhile. */
  readonly slot: Disposable | undefined;
};

/** Uploads what one message can offer: it becomes visible on Main together. */
async function offerPage(
  directory: string,
  offers: Offer[],
  { session, replica, resumableFrom, isDurable, slot }: Offering,
): Promise<[string, JobResult][]> {
  await addResumeOffsets(directory, offers, session, resumableFrom);
  const files = offers.flatMap((offer): Packed[] => {
    if (offer.op !== 'put' && offer.op !== 'keep') return [];
    if (offer.entry.type !== 'file') return [];
    const { path, entry, from = 0 } = offer;
    return [{ path, size: entry.size, from, stamp: replica.stampAt(path) ?? '' }];
  });
  const bytes = files.reduce((sum, { size, from = 0 }) => sum + size - from, 0);
  // Without an archive, Main makes it visible at once.
  if (files.length === 0) await isDurable;
  const { out, results } = session.offer(directory, offers, bytes);
  // Main may answer early if it accepts nothing.
  const answered = results.then(
    (all) => all,
    (error: Error) => error,
  );
  if (files.length > 0) {
    const beforeEnd = (): Promise<void> => session.whileAtWork(out.id, isDurable);
    await packArchive(replica.path, files, out, { beforeEnd }).catch((error: unknown) => {
      out.abort(String(error));
      throw error;
    });
  } else await out.end();
  slot?.[Symbol.dispose]();
  const answer = await answered;
  if (answer instanceof Error) throw answer;
  return answer.map((each) => [each.path, jobResult(each)]);
}

/**
 * The file is made durable here before it becomes visible there: after a power cut, half a recording or an old one would
 * otherwise count as newer than Main's.
 */
async function makeOfferedDurable(root: string, offers: readonly Offer[]): Promise<void> {
  const inodes = new Set<string>();
  const folders = new Set<string>();
  for (const offer of offers) {
    folders.add(parentOf(offer.path));
    if (offer.op !== 'remove' && offer.entry.type !== 'link') inodes.add(offer.path);
  }
  using open = new OpenFolders(root);
  await makeDurable(open, folders, inodes);
}

/** The part of a large file that Main has from an interrupted transfer is not sent again. */
async function addResumeOffsets(
  directory: string,
  offers: Offer[],
  session: AgentSession,
  resumableFrom: number,
): Promise<void> {
  for (const [number, offer] of offers.entries()) {
    if (offer.op !== 'put' && offer.op !== 'keep') continue;
    if (offer.entry.type !== 'file' || offer.entry.size < resumableFrom) continue;
    const { hash, size } = offer.entry;
    const from = Math.min(await session.resumeOffset(directory, hash), size);
    if (from > 0) offers[number] = { ...offer, from };
  }
}

/** True when this MDS still has (or lacks) what the plan saw. */
function isStillSo(replica: Replica, path: string, item: Outgoing | undefined): boolean {
  const state = replica.get(path);
  if (item === undefined) return false;
  if (item.kind === 'remove-on-main') return state === undefined;
  const planned = item.kind === 'lose' ? item.loser : item.entry;
  return state?.kind === 'settled' && sameEntry(state.entry, planned);
}

const FAR: JobResult = {
  result: 'failed',
  why: "it has a time after 2286, which Main's version does not understand: upgrade Main",
};

/** True when an older Main would reject this offer as invalid. */
function isFar(item: Outgoing): boolean {
  const entries =
    item.kind === 'upload' ? [item.entry, item.expect] : [item.kind === 'lose' ? item.loser : item.expect];
  return entries.some((entry) => entry?.type === 'file' && isFarTime(entry.mtime));
}

function offerOf(path: string, item: Outgoing): Offer {
  const { reason } = item;
  if (item.kind === 'remove-on-main') return { op: 'remove', path, expect: item.expect, reason };
  if (item.kind === 'lose') return { op: 'keep', path, entry: item.loser, reason };
  if (!item.content && item.expect)
    return { op: 'metadata', path, entry: item.entry, expect: item.expect, reason };
  return { op: 'put', path, entry: item.entry, expect: item.expect ?? null, conflict: item.conflict, reason };
}

function jobResult({ result, detail }: StepResult): JobResult {
  const why = detail !== undefined ? { why: detail } : {};
  return result === 'refused' ? { result: 'failed', ...why } : { result, ...why };
}

/** Bytes of content that this item sends; 0 for metadata and removals. */
export function outgoingBytes(item: Outgoing): number {
  if (item.kind === 'upload') return item.content ? bytesOf(item.entry) : 0;
  return item.kind === 'lose' ? bytesOf(item.loser) : 0;
}

/** The entry on Main once it has accepted the item: the new ledger entry. */
export function agreedAfter(item: Outgoing): Entry | undefined {
  return item.kind === 'upload' ? item.entry : undefined;
}
