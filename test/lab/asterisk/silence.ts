import { toneWav } from '../../../demo/wav.ts';

const SECONDS = 0.1;

/** A tenth of a second of silence that Asterisk plays: WAV, PCM, 8 kHz, 16 bit, mono. */
export function silence(): Buffer {
  return toneWav(0, SECONDS);
}
