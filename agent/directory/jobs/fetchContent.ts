import { MAX_BLOCKS, MAX_CHUNKS, SHORT_DIGEST_CHARACTERS } from '#protocol/limits.ts';
import { bytesInMessage, pagesOf } from '#protocol/pages.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import type { Applier } from '#sync/apply/applier.ts';
import type { StagedFile } from '#sync/apply/stagedFile.ts';
import { isWhole } from '#sync/apply/thread/wholeFiles.ts';
import type { Staging } from '#sync/apply/staging.ts';
import type { StagingResult } from '#core/changeSet.ts';
import { discardingSink, stagingSink } from '#sync/apply/stagingSink.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { deltaSink } from '#sync/transfer/deltaSink.ts';
import { UNKNOWN_VERSION } from '#sync/transfer/format.ts';
import { type Sink, unpackFiles } from '#sync/transfer/unpack.ts';
import type { AgentSession } from '../../connection/agentSession.ts';
import { type BaseRules, DeltaBases } from './deltaBases.ts';

/** Hash, size and offset of a request, and the hash of a block, as sent in a message. */
const BYTES_BESIDE_PATH = 200;
const BYTES_OF_BLOCK = 35;

type Wanted = { readonly path: string; readonly entry: FileEntry };
type Fetching = {
  readonly directory: string;
  readonly session: Pick<AgentSession, 'get' | 'mainCapabilities'>;
  readonly applier: Pick<Applier, 'resumableFrom'>;
  readonly replica: Pick<Replica, 'path' | 'get' | 'contents'>;
  /** The set is needed at once, whatever limits there are. */
  readonly whole: boolean;
};

/**
 * Fetches content from Main and stages it. Of a large file only that is sent which neither an interrupted transfer has left nor
 * the present version holds.
 * @throws when the connection is lost, the directory is being closed, or the archive is invalid
 */
export async function fetchContent(
  job: Fetching,
  staging: Staging,
  files: readonly Wanted[],
  take: (path: string, entry: FileEntry) => (outcome: StagingResult) => void,
): Promise<void> {
  const { session } = job;
  const { resumableFrom } = job.applier;
  const isByChunks = session.mainCapabilities.has('chunks');
  const isByHash = session.mainCapabilities.has('replaces');
  const bytesOf = (file: Wanted): number => bytesOfRequest(file, resumableFrom);
  // A set that Asterisk reads as a whole may exceed the size of a message.
  for (const part of pagesOf(files, { bytesOf })) {
    const resumed = new Map<string, StagedFile>();
    for (const { path, entry } of part)
      if (entry.size >= resumableFrom) resumed.set(path, await staging.resume(entry));
    const fetching = { ...job, staging, take, resumed };
    const again = await fetchPart(fetching, part, { isByChunks, isByHash });
    if (again.length > 0) await fetchPart(fetching, again, { isByChunks, isByHash: false });
  }
}

type FetchingPart = Fetching & {
  readonly staging: Staging;
  readonly take: (path: string, entry: FileEntry) => (outcome: StagingResult) => void;
  /** Large files by path, with what an interrupted transfer has left. */
  readonly resumed: ReadonlyMap<string, StagedFile>;
};

/**
 * Fetches as many files as fit into a request.
 * @returns those whose version here Main does not know by its hash
 */
async function fetchPart(job: FetchingPart, part: readonly Wanted[], rules: BaseRules): Promise<Wanted[]> {
  const { replica, staging, take, resumed } = job;
  const { lists } = replica.contents;
  using bases = new DeltaBases(replica.path, lists, rules, staging.ending);
  for (const { path, entry } of part) {
    const from = resumed.get(path)?.size;
    const here = entryOf(replica.get(path));
    if (from !== undefined && here?.type === 'file') await bases.add(path, here, entry, from);
  }
  const items = part.map(({ path, entry: { hash, size } }) => {
    const from = resumed.get(path)?.size ?? 0;
    return { path, hash, size, ...(from > 0 && { from }), ...bases.requestFor(path) };
  });
  const stream = job.session.get(job.directory, items, job.whole);
  const sizes = items.map(({ size, from = 0 }) => Math.max(0, size - from));
  const complete: Wanted[] = [];
  const again: Wanted[] = [];
  await using inThread = staging.inThread(part);
  await unpackFiles(stream, sizes, (number, sent) => {
    const file = part[number];
    if (file === undefined) throw new Error(`entry ${number} was not asked for`);
    // All of it may have arrived before the connection was closed.
    staging.throwIfEnding();
    const { path, entry } = file;
    const onResult = take(path, entry);
    if (sent === undefined) {
      if (inThread !== undefined && isWhole(entry)) return inThread.sink(entry, onResult);
      const sink = stagingSink(staging, entry, onResult, resumed.get(path));
      const isByHash = items[number]?.replaces !== undefined;
      return isByHash ? unlessUnknown(sink, () => again.push(file)) : sink;
    }
    const onAssembled = (outcome: StagingResult): void => {
      if (outcome.result === 'staged') complete.push(file);
      else if (outcome.result === 'stale' && outcome.isOther) lists.mistrust(entry.hash);
      onResult(outcome);
    };
    const sink = stagingSink(staging, entry, onAssembled, resumed.get(path));
    const how = bases.assemble(path, sent, sizes[number] ?? 0);
    if (how !== undefined) return deltaSink(sink, how.base, how.runs);
    lists.mistrust(entry.hash);
    return refusing(sink, 'Main names parts that are not here');
  });
  await inThread?.end();
  for (const { path, entry } of complete) await bases.keepList(path, entry.hash);
  return again;
}

/** What was received of the file stays when Main does not know what it replaces: it is asked for once more. */
function unlessUnknown(sink: Sink, onUnknown: () => void): Sink {
  return { ...sink, refuse: (why) => (why === UNKNOWN_VERSION ? onUnknown() : sink.refuse(why)) };
}

/** Discards the content, whose file has this error. */
function refusing(sink: Sink, why: string): Sink {
  sink.refuse(why);
  return discardingSink;
}

/** Most bytes of a request for one file in a message. */
function bytesOfRequest({ path, entry }: Wanted, resumableFrom: number): number {
  const base =
    entry.size < resumableFrom
      ? 0
      : Math.max(MAX_CHUNKS * SHORT_DIGEST_CHARACTERS, MAX_BLOCKS * BYTES_OF_BLOCK);
  return bytesInMessage(path) + BYTES_BESIDE_PATH + base;
}
