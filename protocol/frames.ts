import { Buffer } from 'node:buffer';
import { MAX_FRAME_BYTES } from './limits.ts';

/**
 * A binary frame: stream number (4 bytes, big endian), frame type (1 byte), payload.
 */
export type Frame =
  | {
      readonly kind: 'data';
      readonly stream: number;
      readonly bytes: Uint8Array;
      /** Called once the bytes have been sent and their buffer may be reused; never called if the connection ends first. */
      readonly onSent?: (() => void) | undefined;
    }
  | { readonly kind: 'end'; readonly stream: number }
  | { readonly kind: 'abort'; readonly stream: number; readonly reason: string };

const HEADER_BYTES = 5;
const KINDS = ['data', 'end', 'abort'] as const;
const DATA = KINDS.indexOf('data');
const MAX_REASON_BYTES = 1024;

/** A whole frame in one buffer. */
export function encodeFrame(frame: Frame): Uint8Array {
  const payload =
    frame.kind === 'data'
      ? frame.bytes
      : new TextEncoder().encode(frame.kind === 'abort' ? frame.reason : '');
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(bytes, frame);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** The header of a data frame. Header and payload are sent as two fragments, which saves copying the payload. */
export function encodeHeader(frame: Frame): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  writeHeader(bytes, frame);
  return bytes;
}

function writeHeader(bytes: Uint8Array, { stream, kind }: Frame): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, stream);
  bytes[4] = KINDS.indexOf(kind);
}

/**
 * @param fragments one message in the fragments in which it arrived; older versions send a single fragment
 * @returns undefined for anything that is not a frame
 */
export function decodeFragments(fragments: readonly Uint8Array[]): Frame | undefined {
  const [header, bytes] = fragments;
  if (header === undefined) return undefined;
  if (bytes === undefined) return decodeFrame(header);
  if (fragments.length > 2 || header.length !== HEADER_BYTES || header[4] !== DATA)
    return decodeFrame(Buffer.concat(fragments));
  const stream = new DataView(header.buffer, header.byteOffset).getUint32(0);
  if (stream === 0 || bytes.length === 0 || bytes.length > MAX_FRAME_BYTES) return undefined;
  return { kind: 'data', stream, bytes };
}

/** @returns undefined for anything that is not a frame */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const stream = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const kind = KINDS[bytes[4] ?? -1];
  const payload = bytes.subarray(HEADER_BYTES);
  if (stream === 0 || kind === undefined) return undefined;
  if (kind === 'data')
    return payload.length > 0 && payload.length <= MAX_FRAME_BYTES
      ? { kind, stream, bytes: payload }
      : undefined;
  if (kind === 'end') return payload.length === 0 ? { kind, stream } : undefined;
  return payload.length <= MAX_REASON_BYTES
    ? { kind, stream, reason: new TextDecoder().decode(payload) }
    : undefined;
}
