import type { OnCommit } from '#sync/apply/applierOptions.ts';
import type { Staging } from '#sync/apply/staging.ts';
import type { Applier } from '#sync/apply/applier.ts';
import type { ChangeSet, Outcome, Staged, Step } from '#core/changeSet.ts';
import { waitsWith } from '#core/waits.ts';
import type { StagingResult } from '#core/changeSet.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { bytesOf, type Entry, type FileEntry } from '#core/manifest/entry.ts';
import type { Decision } from '#core/plan/decision.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import type { DialplanContent } from '#core/dialplan/world.ts';
import { contentOf, isReadInPart } from '#host/dialplan/files.ts';
import type { Put } from '#host/dialplan/overlay.ts';
import type { AgentSession } from '../../connection/agentSession.ts';
import { fetchBeginnings } from './fetchBeginnings.ts';
import { fetchContent } from './fetchContent.ts';
import { movesIn } from './moves.ts';
import { copyWhatIsHere } from './localCopy.ts';
import type { TransferSlots } from './transferSlots.ts';

export type JobResult = { readonly result: 'done' | 'stale' | 'failed'; readonly why?: string };

/** Files that arrive from Main, or that are removed because Main removed them. */
export type Incoming = Extract<Decision, { kind: 'deliver' | 'remove' }>;

export function isIncoming(decision: Decision): decision is Incoming {
  return decision.kind === 'deliver' || decision.kind === 'remove';
}

export type DownloadJob = {
  readonly directory: string;
  readonly items: ReadonlyMap<string, Incoming>;
  readonly session: Pick<AgentSession, 'get' | 'mainCapabilities'>;
  readonly applier: Applier;
  readonly replica: Replica;
  readonly record: OnCommit;
  /** Its content waits for a slot; absent for what must not wait for others, or must not let them wait. */
  readonly slots?: TransferSlots | undefined;
  /** Called with the content of new files before they become visible; undefined for removals. */
  readonly judge?: (changed: ReadonlyMap<string, Put>, permissionsChange: boolean) => Promise<Judgement>;
  /** All or nothing: content that can't be fetched keeps the rest out. */
  readonly whole: boolean;
  /** Dry run: only finds what would prevent the set; nothing becomes visible. */
  readonly rehearsal?: boolean;
};

/** The verdict on a set; reasons are by path. */
export type Judgement = {
  /** If there are any, nothing becomes visible. */
  readonly objections: ReadonlyMap<string, string>;
  /** Files that have to wait for something else; the others do not depend on them. */
  readonly waiting: ReadonlyMap<string, string>;
};

export type Downloaded = {
  readonly results: Map<string, JobResult>;
  readonly outcomes: readonly Outcome[];
  /** The steps that became visible, if any. */
  readonly changeSet: ChangeSet | undefined;
  /** The objections that blocked the set. */
  readonly refused: ReadonlyMap<string, string> | undefined;
};

type Wanted = { readonly path: string; readonly entry: FileEntry };
type StagedFileAt = { readonly entry: FileEntry; readonly staged: Staged };

/**
 * Fetches one change set: everything is staged and verified first, then becomes visible together. Files that could not
 * be fetched are left out, unless the set is atomic. In an atomic set, large files are fetched last: they are judged by
 * their beginning.
 * @returns the result for each path
 * @throws when nothing could be done (no room, the connection was lost, the directory is being closed, the disk failed)
 */
export async function download(job: DownloadJob): Promise<Downloaded> {
  const results = new Map<string, JobResult>();
  const moves = movesOf(job);
  const wanted = [...job.items].flatMap(([path, item]) =>
    needsContent(item) && !moves.has(path) ? [{ path, entry: item.entry }] : [],
  );
  const { small = [], large = [] } = Object.groupBy(wanted, ({ entry }) =>
    job.whole && isReadInPart(entry.size) ? 'large' : 'small',
  );
  using slot = await job.slots?.take();
  using staging = job.applier.begin(totalBytes(small));
  const staged = new Map<string, StagedFileAt>();
  const take = (path: string, entry: FileEntry) => (outcome: StagingResult) => {
    if (outcome.result === 'staged') staged.set(path, { entry, staged: outcome.staged });
    else results.set(path, { result: outcome.result, why: outcome.why });
  };
  const stage = async (files: readonly Wanted[]): Promise<void> => {
    await fetchContent(job, staging, await copyWhatIsHere(job.replica, staging, files, take), take);
  };
  await stage(small);
  slot?.[Symbol.dispose]();
  const beginnings = await fetchBeginnings(job.directory, job.session, large, (path, why) =>
    results.set(path, { result: 'stale', why }),
  );
  if (job.whole && results.size > 0) return { ...nothing, results: withTheOthers(job.items, results) };
  const permissionsChange = [...job.items.values()].some(changesPermissions);
  // Without a judge, nothing of what has just been written is read.
  const read = (): Map<string, Put> => contents(job.items, staged, staging, beginnings);
  const { objections, waiting } = (await job.judge?.(read(), permissionsChange)) ?? FINE;
  if (objections.size > 0) return refused(job.items, objections);
  const waits = [...waiting].map(([path, why]) => [path, { result: 'failed', why }] as const);
  const left = large.filter(({ path }) => !waiting.has(path));
  staging.requireRoom(totalBytes(left));
  if (job.rehearsal === true) return { ...nothing, results: new Map([...results, ...waits]) };
  await stage(left);
  const steps: Step[] = [...moves.values()];
  const renamed = new Set([...moves].flatMap(([path, { from }]) => [path, from]));
  for (const [path, item] of job.items) {
    if (results.has(path) || waiting.has(path) || renamed.has(path)) continue;
    try {
      const step = stepFor(job, staging, path, item, staged.get(path)?.staged);
      if (step === undefined) results.set(path, { result: 'stale', why: 'it changed meanwhile' });
      else steps.push(step);
    } catch (error) {
      results.set(path, { result: 'failed', why: errnoOf(error) });
    }
  }
  if (job.whole && results.size > 0) return { ...nothing, results: withTheOthers(job.items, results) };
  for (const [path, result] of waits) results.set(path, result);
  if (steps.length === 0) return { ...nothing, results };
  staging.throwIfEnding();
  const { outcomes, changeSet } = await staging.commit(steps, job.record);
  for (const { step, result, errno } of outcomes) {
    const named = { result, ...(errno !== undefined && { why: errno }) };
    results.set(step.path, named);
    if (step.kind === 'move') results.set(step.from, named);
  }
  return { results, outcomes, changeSet, refused: undefined };
}

/** Files that are only renamed, by their new path. An atomic set is checked file by file. */
function movesOf({ items, replica, judge }: DownloadJob): Map<string, Step & { kind: 'move' }> {
  const moves = new Map<string, Step & { kind: 'move' }>();
  if (judge !== undefined) return moves;
  for (const [path, from] of movesIn(items)) {
    const item = items.get(path);
    if (item?.kind !== 'deliver' || item.entry.type !== 'file') continue;
    // It may have changed since the plan was made.
    const expect = replica.stampOf(from, item.entry);
    if (expect === undefined) continue;
    moves.set(path, { kind: 'move', path, from, entry: item.entry, expect, reason: item.reason });
  }
  return moves;
}

function contents(
  items: ReadonlyMap<string, Incoming>,
  staged: ReadonlyMap<string, StagedFileAt>,
  staging: Staging,
  beginnings: ReadonlyMap<string, DialplanContent>,
): Map<string, Put> {
  const changed = new Map<string, Put>(beginnings);
  for (const [path, { staged: place }] of staged) changed.set(path, staging.withFile(place, contentOf));
  for (const [path, item] of items) {
    if (item.kind === 'remove') changed.set(path, undefined);
    else if (item.entry.type === 'folder') changed.set(path, 'folder');
    else if (item.entry.type === 'link') changed.set(path, { linkTo: item.entry.target });
  }
  return changed;
}

/** Permissions of files whose content stays. */
function changesPermissions(item: Incoming): boolean {
  if (item.kind !== 'deliver' || item.content || item.expect === undefined) return false;
  if (item.entry.type === 'link' || item.expect.type === 'link') return false;
  const { entry, expect } = item;
  return entry.mode !== expect.mode || entry.owner !== expect.owner || entry.group !== expect.group;
}

const FINE: Judgement = { objections: new Map(), waiting: new Map() };

const nothing = { outcomes: [], changeSet: undefined, refused: undefined };

/** The whole set is blocked; the files that cause this have the reason. */
function refused(items: ReadonlyMap<string, Incoming>, objections: ReadonlyMap<string, string>): Downloaded {
  const blamed = [...objections].map(([path, why]) => [path, { result: 'failed', why }] as const);
  return { ...nothing, results: withTheOthers(items, new Map(blamed)), refused: objections };
}

/** One obstacle blocks the whole set. */
function withTheOthers(
  items: ReadonlyMap<string, Incoming>,
  blamed: ReadonlyMap<string, JobResult>,
): Map<string, JobResult> {
  // A write error is more informative than a stale entry.
  const [culprit, why] = [...blamed].find(([, { result }]) => result === 'failed') ?? [...blamed][0] ?? [];
  if (culprit === undefined || why === undefined) return new Map();
  const others = { ...why, why: waitsWith(culprit, why.why) };
  return new Map([...items.keys()].map((path) => [path, blamed.get(path) ?? others]));
}

/** @returns undefined when the path holds something else by now than what the plan was made for */
function stepFor(
  { replica }: DownloadJob,
  staging: Staging,
  path: string,
  item: Incoming,
  staged: Staged | undefined,
): Step | undefined {
  const { reason } = item;
  const place = (entry: Entry, expect: Stamp | undefined): Step => {
    const object = entry.type === 'file' ? staged : staging.bare(entry);
    if (object === undefined) throw new Error('its content was not received');
    return { kind: 'put', path, entry, expect, staged: object, reason };
  };
  if (item.kind === 'deliver' && item.expect === undefined && !item.replacesSpecial)
    return place(item.entry, undefined);
  const expect = replica.stampOf(path, item.expect ?? 'special');
  if (expect === undefined) return undefined;
  if (item.kind === 'remove') return { kind: 'remove', path, entry: item.expect, expect, reason };
  if (item.content) return place(item.entry, expect);
  return { kind: 'metadata', path, entry: item.entry, expect, reason };
}

function needsContent(item: Incoming): item is Incoming & { kind: 'deliver'; entry: FileEntry } {
  return item.kind === 'deliver' && item.content && item.entry.type === 'file';
}

function totalBytes(files: readonly Wanted[]): number {
  return files.reduce((sum, { entry }) => sum + entry.size, 0);
}

/** Bytes of content that this item fetches; 0 for metadata and removals. */
export function contentBytes(item: Incoming): number {
  return item.kind === 'deliver' && item.content ? bytesOf(item.entry) : 0;
}
