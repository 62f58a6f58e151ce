import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto';

/**
 * Who someone is: the SHA-256 of the DER SubjectPublicKeyInfo of their public key (as in RFC 7469), 64 lower-case
 * hex digits. It stays the same when a certificate is renewed with the same key.
 */
export type Pin = string;

const PIN = /^[0-9a-f]{64}$/;

/** Whether a text has the form of a pin. */
export function isPin(text: string): text is Pin {
  return PIN.test(text);
}

/** The pin of a public key given as DER SubjectPublicKeyInfo. */
export function pinOfPublicKey(spki: Uint8Array): Pin {
  return createHash('sha256').update(spki).digest('hex');
}

/**
 * The pin of a certificate, given parsed, as DER bytes or as PEM.
 * @throws if the bytes or the text are no certificate
 */
export function pinOfCertificate(certificate: X509Certificate | Uint8Array | string): Pin {
  const parsed = certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate);
  return pinOfPublicKey(parsed.publicKey.export({ type: 'spki', format: 'der' }));
}

/** Whether two pins are the same, in a time that does not tell how much of them is. */
export function samePin(one: Pin, other: Pin): boolean {
  const left = Buffer.from(one);
  const right = Buffer.from(other);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** A pin (or other hex) as people compare it: groups of four digits, `3f2a:90bc:…`. */
export function formatFingerprint(hex: string): string {
  return hex.match(/.{1,4}/g)?.join(':') ?? '';
}
