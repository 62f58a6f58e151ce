import type { FromAgent } from '#protocol/messages/session.ts';
import type { Logger } from '#host/log/logger.ts';
import { fileOf } from '#core/manifest/pathState.ts';
import { isNested } from '#core/path/nesting.ts';
import { isOverride, refusePath } from '#core/path/relative.ts';
import type { OutgoingStream } from '#wire/outgoingStream.ts';
import { packArchive } from '#sync/transfer/packing/packArchive.ts';
import { chunkLengths } from '#sync/transfer/chunker.ts';
import type { ChunkList } from '#sync/transfer/chunkList.ts';
import { UNKNOWN_VERSION } from '#sync/transfer/format.ts';
import type { Packed } from '#sync/transfer/packed.ts';
import type { Traffic } from './traffic.ts';
import type { MainDirectory } from '../../directories/mainDirectory.ts';

type Request = Extract<FromAgent, { type: 'get' }>;

/** For which MDS content is sent, and who watches over it. */
export type Sending = { readonly mds: string; readonly traffic: Traffic; readonly log: Logger };

/** Sends the content of requested files that are still in the requested version. */
export async function sendContent(
  directory: MainDirectory,
  { items }: Request,
  open: (bytes: number) => OutgoingStream,
  { mds, traffic, log }: Sending,
): Promise<void> {
  using _delivery = directory.delivering();
  const files = items.map((item) => packed(directory, item));
  try {
    const bytesTotal = files.reduce((sum, { size, from = 0 }) => sum + Math.max(0, size - from), 0);
    const out = open(bytesTotal);
    const ended = traffic.begin({
      directory: directory.name,
      direction: 'to-mds',
      path: files[0]?.path ?? '',
      files: files.length,
      bytesTotal,
      moved: () => bytesTotal - out.remaining,
    });
    try {
      const { replica, archiveParts: parts } = directory;
      await packArchive(replica.path, files, out, { sharing: { parts, mds } });
      ended(true);
    } catch (error) {
      out.abort(String(error));
      throw error;
    } finally {
      ended(false);
    }
  } catch (error) {
    log.debug('transfer ended early', { directory: directory.name, error });
  }
}

function packed(
  directory: MainDirectory,
  { path, hash, size, from, base: digests, chunks, replaces }: Request['items'][number],
): Packed {
  const refusal =
    refusePath(path) ??
    (isOverride(path) || isNested(directory.nested, path) ? 'it is never synchronised' : undefined);
  const entry = fileOf(directory.replica.get(path));
  const isSame = entry?.hash === hash && entry.size === size;
  const { lists } = directory.replica.contents;
  const list = replaces === undefined ? undefined : comparable(lists.get(replaces), size);
  const isUnknown = replaces !== undefined && list === undefined;
  const base = list ? { list } : chunks === undefined ? digests : { chunks };
  const why = refusal ?? (!isSame ? 'changed on Main' : isUnknown ? UNKNOWN_VERSION : undefined);
  return {
    path,
    size,
    ...(from !== undefined && { from }),
    base,
    // All else is sent whole: looking for its chunks would ask the state for each file and MDS in vain.
    own: base === undefined ? undefined : lists.get(hash),
    stamp: directory.replica.stampAt(path) ?? '',
    ...(why !== undefined && { refusal: why }),
  };
}

/** The chunks of another version, unless those of a version of this size are of another usual length. */
function comparable(list: ChunkList | undefined, size: number): ChunkList | undefined {
  return list?.usual === chunkLengths(size)?.usual ? list : undefined;
}
