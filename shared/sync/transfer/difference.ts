import { type Blocks, differingSpans, hashBlocks, type Span, spansText } from './blocks.ts';
import { type ChunkList, listChunks } from './chunkList.ts';
import { PAX_PARTS, PAX_SPANS } from './format.ts';
import { bytesToSend, differingParts, partsText } from './parts.ts';

/** What the receiver's version consists of: blocks at fixed offsets, or the digests of its chunks. */
export type BaseDigests = Blocks | { readonly chunks: string };

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
 * @throws Node's fs errors
 */
export async function differenceFrom(
  base: BaseDigests,
  { fd, size, from, known }: { fd: number; size: number; from: number; known: ChunkList | undefined },
): Promise<Difference> {
  const all = { spans: [{ start: from, end: size }] };
  if ('chunks' in base) {
    const own = known ?? (await listChunks(fd, size));
    if (own === undefined) return all;
    const { parts, spans } = differingParts(own, size, base.chunks, from);
    return bytesToSend(parts) === size - from ? all : { spans, pax: { [PAX_PARTS]: partsText(parts) } };
  }
  const spans = differingSpans(await hashBlocks(fd, size, base.block), size, base);
  const isAll = spans.length === 1 && spans[0]?.start === 0 && spans[0].end === size;
  return isAll || from > 0 ? all : { spans, pax: { [PAX_SPANS]: spansText(spans) } };
}
