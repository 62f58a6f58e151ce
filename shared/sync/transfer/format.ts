/** The first byte of a stream tells how the archive behind it is coded. */
export const ENCODING = { plain: 0, zstd: 1 } as const;

/** The pax header of an entry that could not be sent: why. */
export const PAX_ERROR = 'XDS.error';

/** The pax header of an entry that holds only the spans of a file that the other side has not. */
export const PAX_SPANS = 'XDS.spans';

/**
 * How far back compressed text refers, as a power of two: both ends hold that much for each stream, and a sender
 * that claims more is refused, since it would make the receiver reserve it.
 */
export const ZSTD_WINDOW_LOG = 20;

/** Sound hardly shrinks; these do not at all worth the time. */
const SOUND = /\.(wav|wav49|gsm|ogg|ulaw|alaw|au|vox|slin\d*|sln\d*|mp3|g722|g729|opus)$/i;
/** Below this many bytes there is nothing to win. */
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
