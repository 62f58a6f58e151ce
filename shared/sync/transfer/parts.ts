import { MAX_PARTS, SHORT_DIGEST_CHARACTERS } from '#protocol/limits.ts';
import { type ChunkList, digestAt } from './chunkList.ts';
import type { Span } from './blocks.ts';

/**
 * The next part of a file: content that is sent, or chunks of the receiver's version, by the number of the first. To a receiver
 * that has no list of its chunks, each byte is a chunk.
 */
export type Part = { readonly bytes: number } | { readonly chunk: number; readonly count: number };

/** The next part of a file for its receiver: content that arrives, or bytes of the present version from an offset on. */
export type Run =
  { readonly bytes: number } | { readonly bytes: number; readonly offset: number; readonly chunks?: Chunks };
type Chunks = { readonly first: number; readonly count: number };

/**
 * Divides a file into what its receiver has and what has to be sent. Pure.
 * @param own the chunks of the new version
 * @param size bytes of the new version
 * @param digests of the receiver's chunks
 * @param from bytes that the receiver has already, from the start
 * @returns the parts, and where the content of those that are sent is in the file
 */
export function differingParts(
  own: ChunkList,
  size: number,
  digests: string,
  from = 0,
): { parts: readonly Part[]; spans: readonly Span[] } {
  const places = new Map<string, number>();
  for (let number = digests.length / SHORT_DIGEST_CHARACTERS - 1; number >= 0; number--)
    places.set(digestAt(digests, number), number);
  const parts = new PartsInMaking();
  let at = 0;
  for (const [number, length] of own.lengths.entries()) {
    const start = at;
    at += length;
    if (at <= from) continue;
    const digest = digestAt(own.digests, number);
    // Equal chunks are in many places: the one that goes on with the last part keeps parts few.
    const goesOn = parts.goesOnWith;
    const there = goesOn !== undefined && digestAt(digests, goesOn) === digest ? goesOn : places.get(digest);
    if (there === undefined || start < from || !parts.addChunk(there))
      parts.addContent(Math.max(start, from), at);
  }
  parts.addContent(Math.max(at, from), size);
  return { parts: parts.all, spans: parts.spans };
}

class PartsInMaking {
  readonly all: Part[] = [];
  readonly spans: Span[] = [];

  /** The chunk that would make no new part. */
  get goesOnWith(): number | undefined {
    const last = this.all.at(-1);
    return last !== undefined && 'chunk' in last ? last.chunk + last.count : undefined;
  }

  /** @returns false when only content may follow, so that its receiver does not find too many parts */
  addChunk(chunk: number): boolean {
    const last = this.all.at(-1);
    if (last !== undefined && 'chunk' in last && last.chunk + last.count === chunk)
      this.all[this.all.length - 1] = { chunk: last.chunk, count: last.count + 1 };
    else if (this.all.length < MAX_PARTS - 1) this.all.push({ chunk, count: 1 });
    else return false;
    return true;
  }

  addContent(start: number, end: number): void {
    if (end <= start) return;
    const last = this.all.at(-1);
    const span = this.spans.at(-1);
    if (last !== undefined && 'bytes' in last && span?.end === start) {
      this.all[this.all.length - 1] = { bytes: last.bytes + end - start };
      this.spans[this.spans.length - 1] = { start: span.start, end };
    } else {
      this.all.push({ bytes: end - start });
      this.spans.push({ start, end });
    }
  }
}

/** The same for a receiver that has no list of its version's chunks. @param list of these chunks */
export function partsInBytes(parts: readonly Part[], { lengths }: ChunkList): Part[] {
  const offsets = offsetsOf(lengths);
  return parts.map((part) => {
    if ('bytes' in part) return part;
    const offset = offsets[part.chunk] ?? 0;
    return { chunk: offset, count: (offsets[part.chunk + part.count] ?? 0) - offset };
  });
}

/** Where each chunk begins, and where the last one ends. */
function offsetsOf(lengths: Iterable<number>): number[] {
  const offsets = [0];
  let end = 0;
  for (const length of lengths) offsets.push((end += length));
  return offsets;
}

/** Parts as text for a pax header: `1024,0+8190` is 1,024 bytes of content, then 8,190 chunks from the first on. */
export function partsText(parts: readonly Part[]): string {
  return parts.map((part) => ('bytes' in part ? part.bytes : `${part.chunk}+${part.count}`)).join(',');
}

/** Parses parts. @returns undefined when they make no sense, or are too many */
export function parseParts(text: string): Part[] | undefined {
  const parts: Part[] = [];
  for (const each of text.split(',', MAX_PARTS + 1)) {
    const [, first, count] = /^(\d{1,13})(?:\+([1-9]\d{0,12}))?$/.exec(each) ?? [];
    const number = Number(first);
    if (first === undefined || (count === undefined && number === 0)) return undefined;
    parts.push(count === undefined ? { bytes: number } : { chunk: number, count: Number(count) });
  }
  return parts.length > MAX_PARTS ? undefined : parts;
}

/** Bytes of content that are sent. */
export function bytesToSend(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + ('bytes' in part ? part.bytes : 0), 0);
}

/**
 * What the parts are for their receiver.
 * @param list its version's chunks; undefined when each byte is one
 * @param size bytes that all of them must have
 * @returns undefined when they name chunks that it has not, or have another size together
 */
export function runsOfParts(
  parts: readonly Part[],
  list: ChunkList | undefined,
  size: number,
): Run[] | undefined {
  const offsets = list && offsetsOf(list.lengths);
  const runs: Run[] = [];
  let bytes = 0;
  for (const part of parts) {
    const run = runOf(part, offsets);
    if (run === undefined) return undefined;
    runs.push(run);
    bytes += run.bytes;
  }
  return bytes === size ? runs : undefined;
}

function runOf(part: Part, offsets: readonly number[] | undefined): Run | undefined {
  if ('bytes' in part) return part;
  const { chunk, count } = part;
  if (offsets === undefined) return { offset: chunk, bytes: count };
  const offset = offsets[chunk];
  const behind = offsets[chunk + count];
  if (offset === undefined || behind === undefined) return undefined;
  return { offset, bytes: behind - offset, chunks: { first: chunk, count } };
}

/** What spans are for their receiver: between them it keeps what it has at the same offset. */
export function runsOfSpans(spans: readonly Span[], size: number): Run[] {
  const runs: Run[] = [];
  let at = 0;
  const keepUntil = (end: number): void => {
    if (end > at) runs.push({ offset: at, bytes: end - at });
  };
  for (const { start, end } of spans) {
    keepUntil(start);
    runs.push({ bytes: end - start });
    at = end;
  }
  keepUntil(size);
  return runs;
}
