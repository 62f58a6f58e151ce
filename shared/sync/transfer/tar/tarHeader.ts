/** Headers, and contents with their padding, take whole blocks of this size, bytes. */
export const BLOCK = 512;

/** Where the fields of a header are. */
const NAME = { at: 0, bytes: 100 };
const SIZE = { at: 124, bytes: 12 };
const CHECKSUM = { at: 148, bytes: 8 };
const KIND = 156;
const MAGIC = 257;
/** A size that is not octal has this bit in its first byte. */
const BINARY = 0x80;
const BLANK = 0x20;
const ZERO = 0x30;
const SEVEN = 0x37;

/** Kinds of entries. */
export const KINDS = { file: '0', pax: 'x' } as const;

export type TarHeader = { readonly name: string; readonly kind: string; readonly size: number };

/**
 * Reads a header of a tar archive.
 * @param block {@link BLOCK} bytes
 * @returns `end` for the block of zeros that ends an archive, undefined for one that is no header
 */
export function readHeader(block: Buffer): TarHeader | 'end' | undefined {
  const sum = sumOf(block);
  if (sum === 0) return 'end';
  // The sum counts its own field as blanks.
  if (sum + CHECKSUM.bytes * BLANK !== octal(block, CHECKSUM.at, CHECKSUM.bytes)) return undefined;
  if (block.toString('latin1', MAGIC, MAGIC + 'ustar'.length) !== 'ustar') return undefined;
  const size = sizeIn(block);
  if (!Number.isSafeInteger(size)) return undefined;
  return { name: text(block, NAME.at, NAME.bytes), kind: block.toString('latin1', KIND, KIND + 1), size };
}

/** The keys and values of a pax header's content; undefined when that is invalid. */
export function readPax(content: Buffer): Record<string, string> | undefined {
  const pax: Record<string, string> = {};
  for (let at = 0; at < content.length;) {
    const blank = content.indexOf(BLANK, at);
    const length = Number(content.toString('latin1', at, Math.max(blank, at)));
    const end = at + length;
    if (!(end > blank + 1 && blank > at && end <= content.length)) return undefined;
    const record = content.toString('utf8', blank + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals === -1) return undefined;
    pax[record.slice(0, equals)] = record.slice(equals + 1);
    at = end;
  }
  return pax;
}

/** Without the sum's own field. */
function sumOf(block: Buffer): number {
  let sum = 0;
  for (let at = 0; at < CHECKSUM.at; at++) sum += block[at] ?? 0;
  for (let at = CHECKSUM.at + CHECKSUM.bytes; at < BLOCK; at++) sum += block[at] ?? 0;
  return sum;
}

/** From 8 GiB on, a size is a binary number. */
function sizeIn(block: Buffer): number {
  if (((block[SIZE.at] ?? 0) & BINARY) === 0) return octal(block, SIZE.at, SIZE.bytes);
  let size = (block[SIZE.at] ?? 0) & ~BINARY;
  for (let at = SIZE.at + 1; at < SIZE.at + SIZE.bytes; at++) size = size * 256 + (block[at] ?? 0);
  return size;
}

/** Blanks and zero bytes may be around the digits. */
function octal(block: Buffer, from: number, bytes: number): number {
  let number = 0;
  for (let at = from; at < from + bytes; at++) {
    const byte = block[at] ?? 0;
    if (byte >= ZERO && byte <= SEVEN) number = number * 8 + byte - ZERO;
    else if (byte !== BLANK && byte !== 0) return NaN;
  }
  return number;
}

function text(block: Buffer, from: number, bytes: number): string {
  const end = block.indexOf(0, from);
  return block.toString('latin1', from, end === -1 || end > from + bytes ? from + bytes : end);
}
