import { isUtf8 } from 'node:buffer';

/**
 * File names are bytes; the program handles them as strings. Valid UTF-8 decodes as usual, and each byte
 * that is not part of valid UTF-8 becomes a lone surrogate U+DC80..U+DCFF, so that every name survives the
 * round trip byte for byte (the idea of Python's "surrogateescape", PEP 383).
 */
const ESCAPE_BASE = 0xdc00;

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes a file name. Every sequence of bytes has exactly one string. */
export function decodeName(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return strictDecoder.decode(bytes);
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const length = validSequenceLength(bytes, at);
    if (length > 0) {
      text += strictDecoder.decode(bytes.subarray(at, at + length));
      at += length;
    } else {
      text += String.fromCharCode(ESCAPE_BASE + (bytes[at] ?? 0));
      at += 1;
    }
  }
  return text;
}

/** Encodes what {@link decodeName} made. */
export function encodeName(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xdc80 || unit > 0xdcff) continue;
    // The low half of a real pair is no escape: U+DC80..DCFF stands for a byte only when it stands alone.
    const before = i > from ? text.charCodeAt(i - 1) : 0;
    if (before >= 0xd800 && before <= 0xdbff) continue;
    parts.push(Buffer.from(text.slice(from, i), 'utf8'), Buffer.from([unit - ESCAPE_BASE]));
    from = i + 1;
  }
  parts.push(Buffer.from(text.slice(from), 'utf8'));
  return Buffer.concat(parts);
}

function validSequenceLength(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  }
  return 0;
}
