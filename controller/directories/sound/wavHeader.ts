/** The header of a WAV file. Rate in Hz. */
export type WavFormat = {
  /** 1: PCM; 49: GSM 6.10; others in Microsoft's mmreg.h. */
  readonly codec: number;
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
  /** Bytes of the format block. */
  readonly length: number;
};

export type WavReading =
  | { readonly is: 'wav'; readonly formats: readonly WavFormat[] }
  | { readonly is: 'broken'; readonly why: string }
  /** The part that was read is too short to decide. */
  | { readonly is: 'unknown' };

const RIFF_BYTES = 12;
const BLOCK_HEAD_BYTES = 8;
const FORMAT_BYTES = 16;

/**
 * Reads a WAV header as Asterisk's format_wav does: block by block up to the audio data, without the padding byte that
 * RIFF puts after a block of odd length.
 * @param head the beginning of the file
 * @param size length of the whole file, bytes
 */
export function readWavHeader(head: Uint8Array, size: number): WavReading {
  const view = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const missing = (end: number): WavReading | undefined => {
    if (end <= view.length) return undefined;
    return end > size ? { is: 'broken', why: 'it ends before the audio data' } : { is: 'unknown' };
  };
  const short = missing(RIFF_BYTES);
  if (short) return short;
  if (textAt(view, 0) !== 'RIFF' || textAt(view, 8) !== 'WAVE')
    return { is: 'broken', why: 'no RIFF header' };
  const formats: WavFormat[] = [];
  for (let at = RIFF_BYTES; ;) {
    const cut = missing(at + BLOCK_HEAD_BYTES);
    if (cut) return cut;
    const name = textAt(view, at);
    const length = view.readUInt32LE(at + 4);
    const body = at + BLOCK_HEAD_BYTES;
    if (name === 'data') return { is: 'wav', formats };
    if (name === 'fmt ') {
      if (length < FORMAT_BYTES) return { is: 'broken', why: 'its format block is too short' };
      const cut = missing(body + FORMAT_BYTES);
      if (cut) return cut;
      formats.push({
        codec: view.readUInt16LE(body),
        channels: view.readUInt16LE(body + 2),
        rate: view.readUInt32LE(body + 4),
        bits: view.readUInt16LE(body + 14),
        length,
      });
    }
    at = body + length;
  }
}

function textAt(view: Buffer, at: number): string {
  return view.toString('latin1', at, at + 4);
}
