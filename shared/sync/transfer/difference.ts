import { type Blocks, differingSpans, hashBlocks, type Span, spansText } from './blocks.ts';
import { type ChunkList, listChunks } from './chunkList.ts';
import { PAX_PARTS, PAX_SPANS } from './format.ts';
import { bytesToSend, differingParts, partsInBytes, partsText } from './parts.ts';

/**
 * What the receiver's version consists of: blocks at fixed offsets, or the digests of its chunks; or its chunks as this side
 * knows them, of which the receiver has no list.
 */
export type BaseDigests = Blocks | { readonly chunks: string } | { readonly list: ChunkList };

/** What has to be sent of a file. */
export type Difference = {
  readonly spans: readonly Span[];
  /** The pax header that says how the receiver puts it together; absent when all of it is sent. */
  readonly pax?: Record<string, string>;
};

/**
 * What has to be sent of an open file whose receiver has another version.
 * @param size its bytes
 * @param from bytes from its start that the receiver has already
 * @param known its chunks, if they are: then it is not read for this
 * @param signal ends the reading
 * @throws Node's fs errors; the reason of the signal
 */
export async function differenceFrom(
  base: BaseDigests,
  { fd, size, from, known }: { fd: number; size: number; from: number; known: ChunkList | undefined },
  signal: AbortSignal,
): Promise<Difference> {
  const all = { spans: [{ start: from, end: size }] };
  if (!('block' in base)) {
    const own = known ?? (await listChunks(fd, size, signal));
    if (own === undefined) return all;
    const digests = 'list' in base ? base.list.digests : base.chunks;
    const { parts, spans } = differingParts(own, size, digests, from);
    if (bytesToSend(parts) === size - from) return all;
    return {
      spans,
      pax: { [PAX_PARTS]: partsText('list' in base ? partsInBytes(parts, base.list) : parts) },
    };
  }
  const spans = differingSpans(await hashBlocks(fd, size, base.block, signal), size, base);
  const isAll = spans.length === 1 && spans[0]?.start === 0 && spans[0].end === size;
  return isAll || from > 0 ? all : { spans, pax: { [PAX_SPANS]: spansText(spans) } };
}
