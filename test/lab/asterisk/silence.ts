const SECONDS = 0.1;
const RATE = 8_000;
const HEADER = 44;

/** A tenth of a second of silence that Asterisk plays: WAV, PCM, 8 kHz, 16 bit, mono. */
export function silence(): Buffer {
  const samples = Buffer.alloc(SECONDS * RATE * 2);
  const header = Buffer.alloc(HEADER);
  header.write('RIFF');
  header.writeUInt32LE(HEADER - 8 + samples.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}
