import { closeSync, read } from 'node:fs';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import tar from 'tar-stream';
import { errnoOf } from '#host/fs/errno.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { stampOfOpen } from '#host/fs/listing/stampOfOpen.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import type { OutgoingStream } from '#wire/outgoingStream.ts';
import type { Span } from '../blocks.ts';
import { type Difference, differenceFrom } from '../difference.ts';
import { ENCODING, errorHeader, paysToCompress, type TarHeader, ZSTD_WINDOW_LOG } from '../format.ts';
import { LentBuffers, READ_BYTES } from '../lentBuffers.ts';
import type { Packed } from '../packed.ts';
import { isSmall, readSmall } from '../smallFile.ts';
import { writeTo } from '../writeTo.ts';

const readAsync = promisify(read);

/**
 * Sends files as a tar archive. Entries are named by their number in the request, never by a path, so that the archive
 * can't decide where something is written. A file that has changed is sent as an empty entry whose pax header gives the
 * reason.
 *
 * @param beforeEnd called when everything has been sent; the archive ends only after it
 * @throws when the stream or `beforeEnd` fails; files that can't be read do not make it fail
 */
export async function packFiles(
  root: string,
  files: readonly Packed[],
  out: OutgoingStream,
  beforeEnd?: () => Promise<void>,
): Promise<void> {
  const compress = paysToCompress(files);
  await out.write(Buffer.of(compress ? ENCODING.zstd : ENCODING.plain));
  const pack = tar.pack();
  // Packing and sending learn of each other's end through the archive: see below.
  pack.on('error', () => undefined);
  // With compression, buffers can't be reused: the compressor does not report when it has read one.
  const reads = compress ? undefined : new LentBuffers();
  const [filled, sent] = await Promise.allSettled([
    endingBoth(pack, fill({ pack, signal: out.signal, reads }, root, files)),
    endingBoth(pack, send(compress ? compressed(pack) : pack, out, reads)).finally(() => reads?.abandon()),
  ]);
  // An error of sending is the cause of the error of packing.
  if (sent.status === 'rejected' && out.isFinished) throw sent.reason;
  if (filled.status === 'rejected') throw filled.reason;
  if (sent.status === 'rejected') throw sent.reason;
  await beforeEnd?.();
  await out.end();
}

/** Packs and sends concurrently: when one of them fails, the archive ends, and the other one with it. */
async function endingBoth(pack: tar.Pack, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    pack.destroy(error as Error);
    throw error;
  }
}

function compressed(pack: tar.Pack): AsyncIterable<unknown> {
  const encoder = zlib.createZstdCompress({ params: { [zlib.constants.ZSTD_c_windowLog]: ZSTD_WINDOW_LOG } });
  // With a callback, pipeline handles the errors of both streams and ends each with the other.
  const source = pack as unknown as { pipe(target: unknown, onEnd: () => void): void };
  source.pipe(encoder, () => undefined);
  return encoder;
}

async function send(source: AsyncIterable<unknown>, out: OutgoingStream, reads?: LentBuffers): Promise<void> {
  for await (const each of source) {
    const chunk = each as Buffer;
    await out.write(chunk, reads?.returnOf(chunk));
  }
}

type Packing = {
  readonly pack: tar.Pack;
  /** Aborted when the stream has ended: then what differs is not of interest any more. */
  readonly signal: AbortSignal;
  readonly reads: LentBuffers | undefined;
};

async function fill(packing: Packing, root: string, files: readonly Packed[]): Promise<void> {
  const { pack } = packing;
  using open = new OpenFolders(root);
  for (const [number, file] of files.entries()) {
    if (file.refusal !== undefined) await addError(pack, number, file.refusal);
    else await addFile(packing, open, number, file);
  }
  pack.finalize();
}

async function addFile(packing: Packing, open: OpenFolders, number: number, file: Packed): Promise<void> {
  const { pack } = packing;
  if (isSmall(file)) return addSmall(pack, open, number, file);
  let fd: number;
  try {
    fd = open.get(parentOf(file.path)).openFile(baseOf(file.path));
  } catch (error) {
    return addError(pack, number, errnoOf(error));
  }
  try {
    if (stampOfOpen(fd) !== file.stamp) return await addError(pack, number, 'changed');
    const { size, from = 0 } = file;
    if (from > size) await addError(pack, number, 'more of it was there than it holds');
    else await addDifference(packing, number, fd, file);
  } finally {
    closeSync(fd);
  }
}

async function addDifference(
  { pack, signal, reads }: Packing,
  number: number,
  fd: number,
  { size, from = 0, base, own: known }: Packed,
): Promise<void> {
  let difference: Difference = { spans: [{ start: from, end: size }] };
  try {
    if (base !== undefined) difference = await differenceFrom(base, { fd, size, from, known }, signal);
  } catch (error) {
    return addError(pack, number, errnoOf(error));
  }
  const { spans, pax } = difference;
  const bytes = spans.reduce((sum, { start, end }) => sum + end - start, 0);
  return addSpans(pack, { name: String(number), size: bytes, ...(pax && { pax }) }, fd, spans, reads);
}

async function addSpans(
  pack: tar.Pack,
  header: TarHeader,
  fd: number,
  spans: readonly Span[],
  reads: LentBuffers | undefined,
): Promise<void> {
  if (header.size === 0) return addEntry(pack, header, Buffer.alloc(0));
  const { entry, ended } = openEntry(pack, header);
  try {
    for (const { start, end } of spans) {
      for (let at = start; at < end;) {
        const wanted = Math.min(READ_BYTES, end - at);
        const buffer = (await reads?.take()) ?? Buffer.allocUnsafe(wanted);
        const { bytesRead } = await readAsync(fd, buffer, 0, wanted, at);
        // The file shrank, but the size has been sent already: it is padded, and the receiver's hash check fails.
        if (bytesRead === 0) buffer.fill(0, 0, wanted);
        const piece = buffer.subarray(0, bytesRead || wanted);
        reads?.lend(buffer, piece);
        at += piece.length;
        await writeTo(entry, piece);
      }
    }
    entry.end(null);
  } catch (error) {
    // After half an entry the rest of the archive is unreadable.
    entry.destroy(error as Error);
    await ended.catch(() => undefined);
    throw error;
  }
  await ended;
}

async function addSmall(pack: tar.Pack, open: OpenFolders, number: number, file: Packed): Promise<void> {
  const content = Buffer.allocUnsafe(file.size);
  const why = readSmall(open, file, content);
  if (why !== undefined) return addError(pack, number, why);
  return addEntry(pack, { name: String(number), size: file.size }, content);
}

function addError(pack: tar.Pack, number: number, why: string): Promise<void> {
  return addEntry(pack, errorHeader(number, why), Buffer.alloc(0));
}

async function addEntry(pack: tar.Pack, header: TarHeader, content: Buffer): Promise<void> {
  await openEntry(pack, header, content).ended;
}

/**
 * @returns the entry, and its end: rejected when the archive ended first
 * @throws when the archive has ended
 */
function openEntry(
  pack: tar.Pack,
  header: TarHeader,
  content?: Buffer,
): { entry: ReturnType<tar.Pack['entry']>; ended: Promise<void> } {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const onEnd = (error?: Error | null): void => (error ? reject(error) : resolve());
  const entry = content === undefined ? pack.entry(header, onEnd) : pack.entry(header, content, onEnd);
  // The callback receives the error, too.
  entry.on('error', () => undefined);
  // This ends a pending write.
  ended.catch(() => undefined);
  return { entry, ended };
}
