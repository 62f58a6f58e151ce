import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto';

/**
 * The pin identifies a side: the SHA-256 of the DER SubjectPublicKeyInfo of its public key (as in RFC 7469), 64
 * lower-case hex digits. It stays the same when a certificate is renewed with the same key.
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
 * @throws if the bytes or the text are not a certificate
 */
export function pinOfCertificate(certificate: X509Certificate | Uint8Array | string): Pin {
  const parsed = certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate);
  return pinOfPublicKey(parsed.publicKey.export({ type: 'spki', format: 'der' }));
}

/** Compares two pins in constant time. */
export function samePin(one: Pin, other: Pin): boolean {
  const left = Buffer.from(one);
  const right = Buffer.from(other);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Formats a pin (or other hex) in groups of four digits, `3f2a:90bc:…`. */
export function formatFingerprint(hex: string): string {
  return hex.match(/.{1,4}/g)?.join(':') ?? '';
}
