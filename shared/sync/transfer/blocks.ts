import { createHash } from 'node:crypto';
import { read } from 'node:fs';
import { promisify } from 'node:util';
import { MAX_BLOCKS } from '#protocol/limits.ts';

const readAsync = promisify(read);
const SMALLEST = 128 * 1024;
/** Not a power of two: a file of a round size does not change its block length when a little is appended. */
const USUAL_BLOCKS = 3000;

/** Block hashes of one side's version of a file: SHA-256, truncated to 16 bytes, in hexadecimal. */
export type Blocks = { readonly block: number; readonly hashes: readonly string[] };

/** A part of a file, bytes. */
export type Span = { readonly start: number; readonly end: number };

/** Block length for a file of this size, bytes: a power of two. */
export function blockLength(size: number): number {
  let block = SMALLEST;
  while (size / block > USUAL_BLOCKS) block *= 2;
  return block;
}

/**
 * Hashes an open file block by block; the last block may be shorter.
 * @param size bytes; blocks beyond the end of the file get no hash
 * @param signal ends the reading
 * @throws Node's fs errors; the reason of the signal
 */
export async function hashBlocks(
  fd: number,
  size: number,
  block: number,
  signal: AbortSignal,
): Promise<string[]> {
  const hashes: string[] = [];
  const buffer = Buffer.allocUnsafe(block);
  for (let at = 0; at < size; at += block) {
    signal.throwIfAborted();
    const length = await readWhole(fd, buffer, Math.min(block, size - at), at);
    if (length === 0) break;
    hashes.push(createHash('sha256').update(buffer.subarray(0, length)).digest('hex').slice(0, 32));
  }
  return hashes;
}

async function readWhole(fd: number, buffer: Buffer, length: number, position: number): Promise<number> {
  let got = 0;
  while (got < length) {
    const { bytesRead } = await readAsync(fd, buffer, got, length - got, position + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return got;
}

/** The spans in which a file differs from the other side's version. Only blocks at the same offset are compared. Pure. */
export function differingSpans(own: readonly string[], size: number, { block, hashes }: Blocks): Span[] {
  const spans: { start: number; end: number }[] = [];
  for (const [number, hash] of own.entries()) {
    if (hash === hashes[number]) continue;
    const start = number * block;
    const end = Math.min(size, start + block);
    const last = spans.at(-1);
    if (last?.end === start) last.end = end;
    else spans.push({ start, end });
  }
  return spans;
}

/** Spans as text for a pax header, such as `0-65536,131072-196608`; `none` for an empty list. */
export function spansText(spans: readonly Span[]): string {
  return spans.map(({ start, end }) => `${start}-${end}`).join(',') || 'none';
}

/** Parses spans. @returns undefined unless they are ascending and inside a file of this size */
export function parseSpans(text: string, size: number): Span[] | undefined {
  if (text === 'none') return [];
  const spans: Span[] = [];
  for (const part of text.split(',')) {
    const [, from, to] = /^(\d{1,16})-(\d{1,16})$/.exec(part) ?? [];
    const [start, end] = [Number(from), Number(to)];
    if (!(start < end && end <= size && start >= (spans.at(-1)?.end ?? 0)) || spans.length >= MAX_BLOCKS)
      return undefined;
    spans.push({ start, end });
  }
  return spans;
}
