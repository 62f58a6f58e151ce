import { countOf } from '#core/text/countOf.ts';
import zlib from 'node:zlib';
import tar from 'tar-stream';
import { parseSpans, type Span } from './blocks.ts';
import { ENCODING, PAX_ERROR, PAX_PARTS, PAX_SPANS, ZSTD_WINDOW_LOG } from './format.ts';
import { bytesToSend, type Part, parseParts } from './parts.ts';
import { GivenUp, writeTo } from './writeTo.ts';
import type { IncomingStream } from '#wire/incomingStream.ts';

/** Most bytes of headers and padding before the next entry. */
const SLACK = 512 * 1024;
const BLOCK = 512;

/** Receives the content of one file. */
export interface Sink {
  write(chunk: Uint8Array): void | Promise<void>;
  /** The content is complete. */
  end(): void | Promise<void>;
  /** The sender could not send it, for this reason. */
  refuse(why: string): void;
  /** No more will come. Resolves when nothing that it began is going on any more; absent when nothing ever is. */
  interrupted?(): Promise<void> | undefined;
}

/** What an entry holds of its file: the spans that differ, or the parts that are content. */
export type Sent = { readonly spans: readonly Span[] } | { readonly parts: readonly Part[] };

/** The archive does not match the request: the peer broke the protocol. */
export class ArchiveError extends Error {}

/**
 * Receives an archive of {@link packFiles}. Entries must be plain files in the requested order with exactly the expected
 * sizes; nothing in the archive is used as a path.
 *
 * @param sizes bytes expected of each entry
 * @param open returns the sink of an entry; `sent` is what arrives when that is not the whole of it, which only a request
 *   that named a base allows
 * @throws ArchiveError for an invalid archive; errors of the sinks and of the stream
 */
export async function unpackFiles(
  stream: IncomingStream,
  sizes: readonly number[],
  open: (number: number, sent: Sent | undefined) => Sink,
): Promise<void> {
  const extract = tar.extract();
  let fed = 0;
  let taken = 0;
  const feeding = feed(stream, extract, (bytes) => {
    fed += bytes;
    // Bounded, because tar-stream buffers a whole pax header in memory, however long it claims to be.
    if (fed - taken > SLACK + BLOCK) throw new ArchiveError('the archive carries more than was asked for');
  });
  let streamFailure: unknown;
  feeding.catch((error: unknown) => {
    if (!(error instanceof GivenUp)) streamFailure ??= error;
    extract.destroy(error as Error);
  });
  // The reader receives this error; the listener is for errors after reading has ended.
  extract.on('error', () => undefined);
  let next = 0;
  let sink: Sink | undefined;
  try {
    for await (const entry of extract) {
      const { header } = entry;
      const number = next++;
      const size = sizes[number];
      if (size === undefined) throw new ArchiveError('the archive has more entries than were asked for');
      if (header.name !== String(number) || header.type !== 'file') {
        throw new ArchiveError(`the archive's entry ${number} is a ${header.type} named "${header.name}"`);
      }
      const pax = header.pax as Record<string, string> | null | undefined;
      const refusal = pax?.[PAX_ERROR];
      const sent = sentIn(pax, number, size);
      sink = open(number, sent);
      if (refusal === undefined && header.size !== bytesOf(sent, size)) {
        throw new ArchiveError(`the archive's entry ${number} has ${header.size} bytes, not ${size}`);
      }
      taken += 3 * BLOCK;
      for await (const chunk of entry) {
        if (refusal !== undefined)
          throw new ArchiveError(`the archive's entry ${number} has content and an error`);
        taken += (chunk as Buffer).length;
        await sink.write(chunk as Buffer);
      }
      taken = Math.max(taken, fed - SLACK);
      if (refusal === undefined) await sink.end();
      else sink.refuse(refusal.slice(0, 200));
      sink = undefined;
    }
    await feeding;
    stream.release();
  } catch (error) {
    // An error of the stream is the cause; the end of the archive is only its consequence.
    const reason = streamFailure ?? error;
    stream.cancel(reason instanceof Error ? reason.message : String(reason));
    await feeding.catch(() => undefined);
    await sink?.interrupted?.();
    throw reason;
  }
  if (next < sizes.length)
    throw new ArchiveError(`the archive has ${countOf(next, 'entry', 'entries')} of ${sizes.length}`);
}

/** @throws ArchiveError when the header makes no sense */
function sentIn(
  pax: Record<string, string> | null | undefined,
  number: number,
  size: number,
): Sent | undefined {
  const { [PAX_SPANS]: spansText, [PAX_PARTS]: partsText } = pax ?? {};
  if (partsText !== undefined) {
    const parts = parseParts(partsText);
    if (parts !== undefined) return { parts };
  } else {
    if (spansText === undefined) return undefined;
    const spans = parseSpans(spansText, size);
    if (spans !== undefined) return { spans };
  }
  throw new ArchiveError(`the archive's entry ${number} names invalid parts`);
}

function bytesOf(sent: Sent | undefined, size: number): number {
  if (sent === undefined) return size;
  if ('parts' in sent) return bytesToSend(sent.parts);
  return sent.spans.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** Ends with the stream, or when decoder or archive fails. */
async function feed(
  stream: IncomingStream,
  extract: tar.Extract,
  account: (bytes: number) => void,
): Promise<void> {
  const target = extract as unknown as NodeJS.WritableStream;
  const chunks = stream[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return void target.end();
  const encoding = first.value[0];
  const rest = { [Symbol.asyncIterator]: () => chunks };
  if (encoding === ENCODING.plain) await feedPlain(first.value, rest, target, account);
  else if (encoding === ENCODING.zstd) await feedCompressed(first.value, rest, target, account);
  else throw new ArchiveError('unknown encoding');
  target.end();
}

async function feedPlain(
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
  target: NodeJS.WritableStream,
  account: (bytes: number) => void,
): Promise<void> {
  const take = async (chunk: Uint8Array): Promise<void> => {
    if (chunk.length === 0) return;
    account(chunk.length);
    await writeTo(target, chunk);
  };
  await take(first.subarray(1));
  for await (const chunk of rest) await take(chunk);
}

async function feedCompressed(
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
  target: NodeJS.WritableStream,
  account: (bytes: number) => void,
): Promise<void> {
  const decoder = zlib.createZstdDecompress({
    params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
  });
  const drained = drain(decoder, target, account);
  // Awaited after the last write; before that, its end closes the decoder, which fails the next write.
  drained.catch(() => undefined);
  try {
    if (first.length > 1) await writeTo(decoder, first.subarray(1));
    for await (const chunk of rest) await writeTo(decoder, chunk);
    decoder.end();
  } catch (error) {
    decoder.destroy(error as Error);
    // The decoder's or archive's own error is more specific than "closed".
    await drained;
    throw error;
  }
  await drained;
}

async function drain(
  decoder: AsyncIterable<Buffer>,
  target: NodeJS.WritableStream,
  account: (bytes: number) => void,
): Promise<void> {
  for await (const chunk of decoder) {
    account(chunk.length);
    await writeTo(target, chunk);
  }
}
