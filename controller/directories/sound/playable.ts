import { readWavHeader, type WavFormat } from './wavHeader.ts';

/** Bytes of the beginning of a file that are needed. */
export const HEAD_BYTES = 4096;

type Check = (head: Buffer, size: number) => string | undefined;

const PCM = 1;
const GSM = 49;
const CODECS: Readonly<Record<number, string>> = {
  1: 'PCM',
  2: 'ADPCM',
  3: 'floating point',
  6: 'A-law',
  7: 'u-law',
  17: 'IMA ADPCM',
  49: 'GSM',
  85: 'MP3',
  65534: 'extensible format',
};

/** The first bytes of other kinds of sound files. */
const BEGINNINGS: readonly { readonly what: string; readonly is: (head: Buffer) => boolean }[] = [
  { what: 'a WAV file', is: (head) => begins(head, 'RIFF') },
  { what: 'an Ogg file', is: (head) => begins(head, 'OggS') },
  { what: 'a FLAC file', is: (head) => begins(head, 'fLaC') },
  { what: 'an AU file', is: (head) => begins(head, '.snd') },
  { what: 'an MP3 file', is: (head) => begins(head, 'ID3') },
];

/** Suffixes of formats without header. Asterisk plays any content; the header of another format becomes noise. */
const RAW =
  'gsm ulaw ul mu ulw pcm alaw al alw g722 g729 vox slin sln sln12 sln16 sln24 sln32 sln44 sln48 sln96 sln192';

/** By suffix; Asterisk distinguishes upper and lower case. */
const CHECKS: ReadonlyMap<string, Check> = new Map([
  ['wav', pcm(8_000)],
  ['wav16', pcm(16_000)],
  ['WAV', wavGsm],
  ['wav49', (): string => "Asterisk can't play it: it expects this format (wav49) under the suffix WAV"],
  ['au', au],
  ['ogg', (head): string | undefined => (begins(head, 'OggS') ? undefined : other(head, 'an Ogg file'))],
  ...RAW.split(' ').map((suffix): [string, Check] => [suffix, raw]),
]);

/** True when a file of this name can be checked by its beginning. */
export function isChecked(path: string): boolean {
  return CHECKS.has(suffixOf(path));
}

/**
 * The reason why Asterisk can't play a sound file, or plays noise, by the rules of the format modules of Asterisk 16;
 * undefined when no problem is found.
 * @param head the first {@link HEAD_BYTES} of it, or all when it is shorter
 * @param size length of the whole file, bytes
 */
export function whyUnplayable(path: string, head: Uint8Array, size: number): string | undefined {
  const buffer = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  return CHECKS.get(suffixOf(path))?.(buffer, size);
}

/** PCM, mono, 16 bits, at this rate. */
function pcm(rate: number): Check {
  return (head, size) => {
    const reading = readWavHeader(head, size);
    if (reading.is === 'unknown') return undefined;
    if (reading.is === 'broken') return other(head, `a WAV file (${reading.why})`);
    const wrong = reading.formats.find(
      (format) => format.codec !== PCM || format.channels !== 1 || format.rate !== rate || format.bits !== 16,
    );
    return wrong && mismatch(wrong, `PCM, ${rate} Hz, mono, 16 bits`);
  };
}

/** Microsoft's GSM. Asterisk accepts exactly one layout: the blocks `fmt ` (20 bytes), `fact` (4) and `data`. */
function wavGsm(head: Buffer, size: number): string | undefined {
  const reading = readWavHeader(head, size);
  if (reading.is === 'broken') return other(head, `a WAV file (${reading.why})`);
  const [format] = reading.is === 'wav' ? reading.formats : [];
  if (format && (format.codec !== GSM || format.channels !== 1 || format.rate !== 8_000))
    return mismatch(format, 'GSM, 8000 Hz, mono');
  const blocks = [12, 40, 52].map((at) => head.toString('latin1', at, at + 4)).join();
  return format?.length === 20 && blocks === 'fmt ,fact,data'
    ? undefined
    : "Asterisk can't play it: it accepts GSM only with the blocks fmt, fact and data";
}

function mismatch({ codec, channels, rate, bits }: WavFormat, wanted: string): string {
  const many = channels === 1 ? 'mono' : channels === 2 ? 'stereo' : `${channels} channels`;
  const found = `${CODECS[codec] ?? `codec ${codec}`}, ${rate} Hz, ${many}, ${bits} bits`;
  return `Asterisk can't play it: it is ${found}; this suffix has to be ${wanted}`;
}

function au(head: Buffer): string | undefined {
  const HEADER_BYTES = 24;
  const U_LAW = 1;
  if (head.length < HEADER_BYTES || !begins(head, '.snd')) return other(head, 'an AU file');
  const [encoding, rate, channels] = [head.readUInt32BE(12), head.readUInt32BE(16), head.readUInt32BE(20)];
  if (encoding === U_LAW && rate === 8_000 && channels === 1) return undefined;
  return `Asterisk can't play it: it is encoding ${encoding}, ${rate} Hz, ${channels} channel(s); this suffix has to be u-law (1), 8000 Hz, mono`;
}

function raw(head: Buffer): string | undefined {
  const found = BEGINNINGS.find(({ is }) => is(head));
  return (
    found && `Asterisk plays noise: it is ${found.what}, but its suffix is that of a format without header`
  );
}

function other(head: Buffer, wanted: string): string {
  const found = BEGINNINGS.find(({ is }) => is(head));
  const what = found && !wanted.startsWith(found.what) ? `: it is ${found.what}` : '';
  return `Asterisk can't play it: it is not ${wanted}${what}`;
}

function begins(head: Buffer, text: string): boolean {
  return head.toString('latin1', 0, text.length) === text;
}

function suffixOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}
