import './reflectMetadata.ts';
import { randomBytes } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Identity } from './certificate.ts';
import { keyPairOf, makeKeyPair, SIGNATURE, signingKey } from './keypair.ts';
import { pinOfPublicKey } from './pin.ts';

// Import this on demand: @peculiar/x509 takes longer to load than the rest of a program, and certificates are rarely made.

const DAY_MS = 86_400_000;
const MAIN_CERTIFICATE_DAYS = 3650;
/**
 * A certificate becomes valid up to a day in the past, so that a host whose clock is slow accepts it, but by at most a
 * tenth of its life, so that the renewal window keeps its place.
 */
const BACKDATE_MS = DAY_MS;
const BACKDATE_SHARE = 0.1;

/**
 * Creates a key pair with a self-signed certificate of ten years. Main uses it permanently; an agent presents it until
 * Main has issued a certificate for the same key.
 *
 * It is marked as able to issue, so that an agent's certificate also verifies with ordinary tools against Main's.
 * @param options.commonName host or MDS name, at most 64 characters, also the certificate's DNS name
 * @param options.keyPem an existing key
 * @throws if that is not a P-256 private key
 */
export async function createIdentity(options: { commonName: string; keyPem?: string }): Promise<Identity> {
  const pair = options.keyPem === undefined ? makeKeyPair() : keyPairOf(options.keyPem);
  const name: x509.JsonName = [{ CN: [options.commonName] }];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: name,
    issuer: name,
    ...validityFromNow(MAIN_CERTIFICATE_DAYS * DAY_MS),
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
  /** Lifetime, ms. */
  lifeMs: number;
}): Promise<string> {
  const main = new x509.X509Certificate(options.mainCertificatePem);
  const agentSpki = Buffer.from(options.agentSpki);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: [{ CN: [options.name] }],
    issuer: main.subjectName,
    ...validityFromNow(options.lifeMs),
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

function validityFromNow(lifeMs: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  const backdate = Math.min(BACKDATE_MS, lifeMs * BACKDATE_SHARE);
  return { notBefore: new Date(now - backdate), notAfter: new Date(now + lifeMs) };
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
