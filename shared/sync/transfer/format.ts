/** The header of an entry of an archive. */
export type TarHeader = { name: string; size: number; pax?: Record<string, string> };

/** The first byte of a stream: the coding of the archive that follows. */
export const ENCODING = { plain: 0, zstd: 1 } as const;

/** The pax header with the reason of an entry that could not be sent. */
export const PAX_ERROR = 'XDS.error';

/** The header of an entry without content that says why a file could not be sent. @param number its number in the request */
export function errorHeader(number: number, why: string): TarHeader {
  return { name: String(number), size: 0, pax: { [PAX_ERROR]: why } };
}

/** The error of an entry whose replaced version the sender does not know: it may be asked for once more, with what is in that version. */
export const UNKNOWN_VERSION = 'the version that it replaces is not known';

/** The pax header of an entry that holds only the spans in which the file differs from a base of fixed blocks. */
export const PAX_SPANS = 'XDS.spans';

/** The pax header of an entry that leaves out what is in the base: all parts of the file, in order. */
export const PAX_PARTS = 'XDS.parts';

/**
 * Window of the compression, as a power of two. Both ends reserve that much memory for each stream, so a sender that
 * asks for more is refused.
 */
export const ZSTD_WINDOW_LOG = 20;

/** Extensions of files that are not worth compressing. */
const SOUND = /\.(wav|wav49|gsm|ogg|ulaw|alaw|au|vox|slin\d*|sln\d*|mp3|g722|g729|opus)$/i;
/** Least bytes for which compression pays. */
const WORTHWHILE = 2_048;

/** Whether most of what is sent is text. */
export function paysToCompress(files: readonly { path: string; size: number }[]): boolean {
  let text = 0;
  let sound = 0;
  for (const { path, size } of files) {
    if (SOUND.test(path)) sound += size;
    else text += size;
  }
  return text > sound && text > WORTHWHILE;
}
