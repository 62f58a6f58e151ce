import './reflectMetadata.ts';
import { randomBytes, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { makeKeyPair, SIGNATURE, signingKey } from './keypair.ts';
import { pinOfPublicKey } from './pin.ts';
import type { Pin } from './pin.ts';

export type Identity = {
  /** PKCS#8 PEM. */
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly pin: Pin;
};

/** When a certificate holds, in ms since 1970, both ends included. */
export type Validity = { readonly notBefore: number; readonly notAfter: number };

const DAY_MS = 86_400_000;
const MAIN_CERTIFICATE_DAYS = 3650;
/** How many days a certificate that Main issues to an agent holds, unless told otherwise. */
export const AGENT_CERTIFICATE_DAYS = 90;
/** A certificate begins one day back, since a clock that is a little behind must not refuse it. */
const BACKDATE_MS = DAY_MS;
const RENEWAL_FROM = 0.5;
const RENEWAL_TO = 0.8;

/**
 * Makes a new key pair with a self-signed certificate of ten years. Main keeps it for good; an agent presents it
 * until Main has issued one for the same key.
 *
 * It is marked as able to issue, so that an agent's certificate also verifies with ordinary tools against Main's.
 * @param options.commonName host or MDS name, at most 64 characters, also the certificate's DNS name
 */
export async function createIdentity(options: { commonName: string }): Promise<Identity> {
  const pair = makeKeyPair();
  const name: x509.JsonName = [{ CN: [options.commonName] }];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: name,
    issuer: name,
    ...validityFromNow(MAIN_CERTIFICATE_DAYS),
    signingAlgorithm: SIGNATURE,
    publicKey: pair.spki,
    signingKey: signingKey(pair.privateKey),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: options.commonName }]),
      await x509.SubjectKeyIdentifierExtension.create(pair.spki),
    ],
  });
  return { keyPem: pair.keyPem, certificatePem: pemOf(certificate), pin: pinOfPublicKey(pair.spki) };
}

/**
 * Issues a certificate for an agent's public key, signed by Main, for TLS clients only.
 * @param options.agentSpki DER SubjectPublicKeyInfo, taken from the certificate with which the agent connected, since
 *   that connection is the proof that it holds the private key
 * @param options.name the MDS name, becomes the common name and the DNS name
 * @returns PEM
 * @throws if Main's key or certificate, or the agent's key, can't be read
 */
export async function issueAgentCertificate(options: {
  mainKeyPem: string;
  mainCertificatePem: string;
  agentSpki: Uint8Array;
  name: string;
  days: number;
}): Promise<string> {
  const main = new x509.X509Certificate(options.mainCertificatePem);
  const agentSpki = Buffer.from(options.agentSpki);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: [{ CN: [options.name] }],
    issuer: main.subjectName,
    ...validityFromNow(options.days),
    signingAlgorithm: SIGNATURE,
    publicKey: agentSpki,
    signingKey: signingKey(options.mainKeyPem),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: options.name }]),
      await x509.SubjectKeyIdentifierExtension.create(agentSpki),
      await x509.AuthorityKeyIdentifierExtension.create(main.publicKey),
    ],
  });
  return pemOf(certificate);
}

/**
 * Whether Main's key signed this certificate. Says nothing about its dates: see {@link validity}.
 * @throws if one of the two is no certificate
 */
export function certificateIssuedBy(certificateDer: Uint8Array, mainCertificatePem: string): boolean {
  const main = new X509Certificate(mainCertificatePem);
  return new X509Certificate(certificateDer).verify(main.publicKey);
}

/**
 * From when to when a certificate holds.
 * @throws if it is none
 */
export function validity(certificate: X509Certificate | Uint8Array | string): Validity {
  const parsed = certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate);
  return { notBefore: parsed.validFromDate.getTime(), notAfter: parsed.validToDate.getTime() };
}

/**
 * Whether it is time to renew: from a point between 50 and 80 % of the certificate's life, which `random` picks, so
 * that agents enrolled together don't all ask at once, and a fifth of the life is left for a Main that is away.
 * @param options.random 0 up to 1, drawn once for a certificate: drawing again at each look would move it to 50 %
 * @param options.now ms since 1970
 */
export function renewalDue(options: Validity & { now: number; random: number }): boolean {
  const life = options.notAfter - options.notBefore;
  const share = RENEWAL_FROM + (RENEWAL_TO - RENEWAL_FROM) * options.random;
  return options.now >= options.notBefore + life * share;
}

function validityFromNow(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(now + days * DAY_MS) };
}

/** 126 random bits: positive, and never with a zero first byte, which some parsers refuse (RFC 5280, 4.1.2.2). */
function newSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function pemOf(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem').trimEnd()}\n`;
}
