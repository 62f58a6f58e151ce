import { Transform } from 'node:stream';

/** A stream that passes everything on. @param seen called with the number of bytes so far */
export function counted(seen: (bytes: number) => void): Transform {
  let bytes = 0;
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      seen(bytes);
      done(null, chunk);
    },
  });
}
