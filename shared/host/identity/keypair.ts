import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject, webcrypto } from 'node:crypto';

/** Signature algorithm of all identities: ecdsa_secp256r1_sha256 in TLS 1.3, which every library supports. */
export const SIGNATURE = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export type KeyPair = {
  /** PKCS#8 PEM, not encrypted; protected by the file's permissions. */
  readonly keyPem: string;
  readonly privateKey: KeyObject;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Buffer;
};

/** Makes a new ECDSA P-256 key pair. */
export function makeKeyPair(): KeyPair {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return keyPairOf(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

/** @throws if the PEM is not a private key */
export function keyPairOf(keyPem: string): KeyPair {
  const privateKey = createPrivateKey(keyPem);
  return {
    keyPem,
    privateKey,
    spki: createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  };
}

/**
 * A private key in the form that WebCrypto signs with.
 * @throws if the PEM is not a P-256 private key
 */
export function signingKey(key: KeyObject | string): webcrypto.CryptoKey {
  const privateKey = typeof key === 'string' ? createPrivateKey(key) : key;
  return privateKey.toCryptoKey(SIGNATURE, false, ['sign']);
}
