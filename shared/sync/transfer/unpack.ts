import zlib from 'node:zlib';
import { parseSpans, type Span } from './blocks.ts';
import { ENCODING, PAX_ERROR, PAX_PARTS, PAX_SPANS, ZSTD_WINDOW_LOG } from './format.ts';
import { bytesToSend, type Part, parseParts } from './parts.ts';
import { KINDS } from './tar/tarHeader.ts';
import { ArchiveError, type Busy, type TarEntry, TarReader, type TarReceiver } from './tar/tarReader.ts';
import { writeTo } from './writeTo.ts';
import type { IncomingStream } from '#wire/incomingStream.ts';

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
  const files = new ArrivingFiles(sizes, open);
  const archive = new TarReader(files);
  try {
    await feed(stream, archive);
    archive.end();
    files.requireAll();
  } catch (error) {
    stream.cancel(messageOf(error));
    await files.interrupted();
    throw error;
  }
}

/** Gives the contents of an archive's entries to the sinks of the files that were asked for. */
class ArrivingFiles implements TarReceiver {
  readonly #sizes: readonly number[];
  readonly #open: (number: number, sent: Sent | undefined) => Sink;
  #next = 0;
  /** Of the file that is arriving, until everything of it is done. */
  #sink: Sink | undefined;
  /** Why that file could not be sent. */
  #refusal: string | undefined;

  constructor(sizes: readonly number[], open: (number: number, sent: Sent | undefined) => Sink) {
    this.#sizes = sizes;
    this.#open = open;
  }

  begin({ name, kind, size, pax }: TarEntry): void {
    const number = this.#next++;
    const expected = this.#sizes[number];
    if (expected === undefined) throw new ArchiveError('the archive has more entries than were asked for');
    if (name !== String(number) || kind !== KINDS.file)
      throw new ArchiveError(`the archive's entry ${number} is named "${name}", of type "${kind}"`);
    const sent = sentIn(pax, number, expected);
    this.#refusal = pax[PAX_ERROR];
    this.#sink = this.#open(number, sent);
    if (this.#refusal === undefined && size !== bytesOf(sent, expected))
      throw new ArchiveError(`the archive's entry ${number} has ${size} bytes, not ${expected}`);
  }

  content(bytes: Uint8Array): Busy {
    if (this.#refusal !== undefined)
      throw new ArchiveError(`the archive's entry ${this.#next - 1} has content and an error`);
    return busyWith(this.#sink?.write(bytes));
  }

  end(): Busy {
    const busy =
      this.#refusal === undefined
        ? busyWith(this.#sink?.end())
        : busyWith(this.#sink?.refuse(this.#refusal.slice(0, 200)));
    if (busy !== undefined) return busy.then(() => void (this.#sink = undefined));
    this.#sink = undefined;
    return undefined;
  }

  async interrupted(): Promise<void> {
    await this.#sink?.interrupted?.();
  }

  requireAll(): void {
    const { length } = this.#sizes;
    if (this.#next < length) throw new ArchiveError(`the archive has ${this.#next} entries of ${length}`);
  }
}

function busyWith(work: void | Promise<void>): Busy {
  return work instanceof Promise ? work : undefined;
}

/** @throws ArchiveError when the header makes no sense */
function sentIn(pax: TarEntry['pax'], number: number, size: number): Sent | undefined {
  const { [PAX_SPANS]: spansText, [PAX_PARTS]: partsText } = pax;
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
async function feed(stream: IncomingStream, archive: TarReader): Promise<void> {
  const chunks = stream[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return;
  const encoding = first.value[0];
  const rest = { [Symbol.asyncIterator]: () => chunks };
  if (encoding === ENCODING.plain) {
    await archive.take(bufferOf(first.value).subarray(1));
    for await (const chunk of rest) {
      const busy = archive.take(bufferOf(chunk));
      if (busy !== undefined) await busy;
    }
  } else if (encoding === ENCODING.zstd) await feedCompressed(stream, first.value, rest, archive);
  else throw new ArchiveError('unknown encoding');
}

async function feedCompressed(
  stream: IncomingStream,
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
  archive: TarReader,
): Promise<void> {
  const decoder = zlib.createZstdDecompress({
    params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
  });
  const drained = drain(decoder, archive);
  // Awaited after the last write; before that, its end closes the decoder, which fails the next write, and the stream,
  // whose next chunk may never come.
  drained.catch((error: unknown) => stream.cancel(messageOf(error)));
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

async function drain(decoder: AsyncIterable<Buffer>, archive: TarReader): Promise<void> {
  for await (const chunk of decoder) await archive.take(chunk);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
