import { MAX_FRAME_BYTES } from './limits.ts';

/**
 * A binary frame: the stream's number (4 bytes, big endian), what it is (1 byte), and a piece of the stream.
 */
export type Frame =
  | { readonly kind: 'data'; readonly stream: number; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly stream: number }
  | { readonly kind: 'abort'; readonly stream: number; readonly reason: string };

const HEADER_BYTES = 5;
const KINDS = ['data', 'end', 'abort'] as const;
const MAX_REASON_BYTES = 1024;

/** The header of a data frame, to be sent together with its bytes. */
export function encodeFrame(frame: Frame): Uint8Array {
  const payload =
    frame.kind === 'data'
      ? frame.bytes
      : new TextEncoder().encode(frame.kind === 'abort' ? frame.reason : '');
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  new DataView(bytes.buffer).setUint32(0, frame.stream);
  bytes[4] = KINDS.indexOf(frame.kind);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** @returns undefined for anything that is no frame */
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
