import { createHash, X509Certificate } from 'node:crypto';
import type { Pin } from './pin.ts';

export type Identity = {
  /** PKCS#8 PEM. */
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly pin: Pin;
};

/** When a certificate holds, in ms since 1970, both ends included. */
export type Validity = { readonly notBefore: number; readonly notAfter: number };

const RENEWAL_FROM = 0.5;
const RENEWAL_TO = 0.8;

/**
 * Whether Main's key signed this certificate. Its dates are not checked: see {@link validity}.
 * @throws if one of the two is not a certificate
 */
export function certificateIssuedBy(certificateDer: Uint8Array, mainCertificatePem: string): boolean {
  const main = new X509Certificate(mainCertificatePem);
  return new X509Certificate(certificateDer).verify(main.publicKey);
}

/**
 * The validity period of a certificate.
 * @throws if it is not a certificate
 */
export function validity(certificate: X509Certificate | Uint8Array | string): Validity {
  const parsed = certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate);
  return { notBefore: parsed.validFromDate.getTime(), notAfter: parsed.validToDate.getTime() };
}

/**
 * Why a session with this certificate is refused; undefined when it is accepted: Main's key issued it for this name, and
 * it is valid now. The registry decides separately whether the key belongs to that name.
 * @param judged.now ms since 1970
 * @throws if one of the two is not a certificate
 */
export function whyNoSession(judged: {
  certificateDer: Uint8Array;
  mainCertificatePem: string;
  name: string;
  now: number;
}): string | undefined {
  const { certificateDer, mainCertificatePem, name, now } = judged;
  const certificate = new X509Certificate(certificateDer);
  if (!certificateIssuedBy(certificateDer, mainCertificatePem)) return "the certificate is not Main's";
  if (certificate.subject !== `CN=${name}`) return `the certificate is not for ${name}`;
  const { notBefore, notAfter } = validity(certificate);
  if (now < notBefore) return `the certificate is valid only from ${new Date(notBefore).toISOString()} on`;
  if (now > notAfter) return `the certificate expired at ${new Date(notAfter).toISOString()}`;
  return undefined;
}

/**
 * When to renew, ms since 1970: a point between 50 and 80 % of the certificate's life, so that agents enrolled together
 * don't all renew at once and a fifth of the life remains in case Main is down. The point is derived from the
 * certificate's bytes, so it stays the same over restarts.
 * @throws if it is not a certificate
 */
export function renewalPoint(certificatePem: string): number {
  const certificate = new X509Certificate(certificatePem);
  const { notBefore, notAfter } = validity(certificate);
  const random = createHash('sha256').update(certificate.raw).digest().readUInt32BE(0) / 2 ** 32;
  const share = RENEWAL_FROM + (RENEWAL_TO - RENEWAL_FROM) * random;
  return notBefore + (notAfter - notBefore) * share;
}
