import type { OutgoingStream } from '#wire/outgoingStream.ts';
import { packFiles } from './packFiles.ts';
import type { Packed } from '../packed.ts';
import { isPackedInParts, packInParts, type PackOptions } from './packInParts.ts';

/**
 * Sends files as one archive: small ones a part at a time, larger ones while they are read.
 * @throws when the stream or `beforeEnd` fails; files that can't be read do not make it fail
 */
export async function packArchive(
  root: string,
  files: readonly Packed[],
  out: OutgoingStream,
  options: PackOptions = {},
): Promise<void> {
  if (isPackedInParts(files)) await packInParts(root, files, out, options);
  else await packFiles(root, files, out, options.beforeEnd);
}
