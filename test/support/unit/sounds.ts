/** A sound file, and what Asterisk makes of it: `noise` is opened, but is not the sound that it should be. */
export type Sound = {
  readonly what: string;
  readonly name: string;
  readonly content: Buffer;
  readonly plays: 'yes' | 'no' | 'noise';
};

type Wav = {
  codec?: number;
  channels?: number;
  rate?: number;
  bits?: number;
  /** Bytes of the format block beyond the sixteen. */
  extra?: number;
  /** Blocks before the format, and between it and the sound. */
  before?: Buffer[];
  between?: Buffer[];
};

/** A WAV file with half a second of silence. */
export function wavFile(options: Wav = {}): Buffer {
  const { codec = 1, channels = 1, rate = 8000, bits = 16, extra = 0, before = [], between = [] } = options;
  const format = Buffer.alloc(16 + extra);
  format.writeUInt16LE(codec, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt32LE((rate * channels * bits) >> 3, 8);
  format.writeUInt16LE((channels * bits) >> 3, 12);
  format.writeUInt16LE(bits, 14);
  const body = Buffer.concat([
    Buffer.from('WAVE'),
    ...before,
    block('fmt ', format),
    ...between,
    block('data', Buffer.alloc(8_000)),
  ]);
  return block('RIFF', body);
}

export function block(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 0, 'latin1');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

function auFile(encoding: number, rate: number, channels: number): Buffer {
  const head = Buffer.alloc(24);
  head.write('.snd', 0);
  [24, 4_000, encoding, rate, channels].forEach((value, i) => head.writeUInt32BE(value, 4 * (i + 1)));
  return Buffer.concat([head, Buffer.alloc(4_000)]);
}

const MP3 = Buffer.concat([Buffer.from('ID3\u0003'), Buffer.alloc(4_000, 0x55)]);
const GSM: Wav = { codec: 49, bits: 0, extra: 4 };
const FACT = block('fact', Buffer.alloc(4));
const list = (length: number): Buffer => block('LIST', Buffer.alloc(length, 0x41));

export const SOUNDS: readonly Sound[] = [
  { what: 'a .wav of 8 kHz, mono, 16 bits', name: 'a.wav', content: wavFile(), plays: 'yes' },
  { what: 'a .wav of 16 kHz', name: 'b.wav', content: wavFile({ rate: 16_000 }), plays: 'no' },
  { what: 'a .wav of 44.1 kHz', name: 'c.wav', content: wavFile({ rate: 44_100 }), plays: 'no' },
  { what: 'a .wav in stereo', name: 'd.wav', content: wavFile({ channels: 2 }), plays: 'no' },
  { what: 'a .wav of 8 bits', name: 'e.wav', content: wavFile({ bits: 8 }), plays: 'no' },
  { what: 'a .wav of 24 bits', name: 'f.wav', content: wavFile({ bits: 24 }), plays: 'no' },
  { what: 'a .wav with u-law', name: 'g.wav', content: wavFile({ codec: 7, bits: 8 }), plays: 'no' },
  {
    what: 'a .wav in the extensible format',
    name: 'h.wav',
    content: wavFile({ codec: 65_534, extra: 24 }),
    plays: 'no',
  },
  { what: 'a .wav with a longer format block', name: 'i.wav', content: wavFile({ extra: 2 }), plays: 'yes' },
  {
    what: 'a .wav with other blocks',
    name: 'j.wav',
    content: wavFile({ before: [list(30)], between: [list(4)] }),
    plays: 'yes',
  },
  {
    what: 'a .wav with a block of odd length and its filling byte',
    name: 'k.wav',
    content: wavFile({ between: [Buffer.concat([list(3), Buffer.alloc(1)])] }),
    plays: 'no',
  },
  { what: 'an MP3 file called .wav', name: 'l.wav', content: MP3, plays: 'no' },
  { what: 'an empty .wav', name: 'm.wav', content: Buffer.alloc(0), plays: 'no' },
  { what: 'a .wav that ends in its header', name: 'n.wav', content: wavFile().subarray(0, 30), plays: 'no' },
  { what: 'a .wav without sound', name: 'o.wav', content: wavFile().subarray(0, 36), plays: 'no' },
  { what: 'a .wav16 of 16 kHz', name: 'p.wav16', content: wavFile({ rate: 16_000 }), plays: 'yes' },
  { what: 'a .wav16 of 8 kHz', name: 'q.wav16', content: wavFile(), plays: 'no' },
  { what: 'a .WAV with GSM', name: 'r.WAV', content: wavFile({ ...GSM, between: [FACT] }), plays: 'yes' },
  {
    what: 'a .WAV with GSM and a block behind its facts',
    name: 'r2.WAV',
    content: wavFile({ ...GSM, between: [FACT, list(4)] }),
    plays: 'no',
  },
  {
    what: 'a .WAV with GSM and a block before its format',
    name: 'r3.WAV',
    content: wavFile({ ...GSM, before: [list(4)], between: [FACT] }),
    plays: 'no',
  },
  { what: 'a .WAV with GSM and no fact block', name: 'r4.WAV', content: wavFile(GSM), plays: 'no' },
  {
    what: 'a .WAV with GSM and a block before its facts',
    name: 'r5.WAV',
    content: wavFile({ ...GSM, between: [list(4), FACT] }),
    plays: 'no',
  },
  {
    what: 'a .WAV with GSM and a long fact block',
    name: 'r6.WAV',
    content: wavFile({ ...GSM, between: [block('fact', Buffer.alloc(8))] }),
    plays: 'no',
  },
  { what: 'a .wav49', name: 's.wav49', content: wavFile({ ...GSM, between: [FACT] }), plays: 'no' },
  { what: 'a .WAV with PCM', name: 't.WAV', content: wavFile(), plays: 'no' },
  {
    what: 'a .wav with GSM',
    name: 'u.wav',
    content: wavFile({ ...GSM, between: [FACT] }),
    plays: 'no',
  },
  { what: 'an .au of u-law, 8 kHz, mono', name: 'v.au', content: auFile(1, 8_000, 1), plays: 'yes' },
  { what: 'an .au of 16 bits', name: 'w.au', content: auFile(3, 8_000, 1), plays: 'no' },
  { what: 'an .au of 16 kHz', name: 'x.au', content: auFile(1, 16_000, 1), plays: 'no' },
  { what: 'an .au in stereo', name: 'y.au', content: auFile(1, 8_000, 2), plays: 'no' },
  { what: 'a WAV file called .au', name: 'z.au', content: wavFile(), plays: 'no' },
  { what: 'sound without a header', name: 'a.ulaw', content: Buffer.alloc(4_000, 0xff), plays: 'yes' },
  { what: 'a WAV file called .ulaw', name: 'b.ulaw', content: wavFile(), plays: 'noise' },
  { what: 'a WAV file called .gsm', name: 'c.gsm', content: wavFile(), plays: 'noise' },
  { what: 'an MP3 file called .sln', name: 'd.sln', content: MP3, plays: 'noise' },
  { what: 'a WAV file called .ogg', name: 'e.ogg', content: wavFile(), plays: 'no' },
];
