import { codeOf } from '#host/fs/errno.ts';

/** Finds OpenSSL's reason: in Node's error code, or in a message between function and file names. */
const IN_CODE = /^ERR_SSL_(?:SSL\/TLS_)?(.+)$/;
const IN_MESSAGE = /:SSL routines:[^:]*:([^:]+):/;

/** Why a connection failed, for people. */
export function connectionTrouble(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const words = (IN_CODE.exec(codeOf(error) ?? '') ?? IN_MESSAGE.exec(error.message))?.[1];
  if (words === undefined) {
    const isEarly = error.message.includes('before secure TLS connection was established');
    return isEarly ? 'the connection ended before TLS was established' : error.message;
  }
  const plain = words.toLowerCase().replaceAll('_', ' ').trim();
  return plain.includes('bad record mac') ? 'data was changed on its way (bad record MAC)' : `TLS: ${plain}`;
}
