import { createPrivateKey, createPublicKey, hkdfSync, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Pin } from './pin.ts';

/**
 * Lets an MDS prove that it holds a token's secret without sending it, and lets Main check that without storing it.
 *
 * Both derive an Ed25519 key from the secret; Main keeps only its public half, the verifier. The signature covers the
 * exporter of the TLS connection, so it is invalid on any other connection, and the agent's pin, since the exporter does
 * not cover the client's certificate (RFC 8446, 7.5).
 */
type Enrolment = {
  /** From {@link tlsBinding}. */
  readonly binding: Uint8Array;
  readonly agentPin: Pin;
  readonly name: string;
};

const EXPORTER_LABEL = 'EXPORTER-xivo-xds-sync-enrol';
const BINDING_BYTES = 32;
const SEED_LABEL = 'xivo-xds-sync enrolment key v1';
const PROOF_LABEL = 'xivo-xds-sync enrolment proof v1';
const SEED_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** DER prefixes of the 32 bytes of a key (RFC 8410, 7 and 4). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** The verifier that Main stores of a token: base64url of the Ed25519 public key derived one-way from its secret. */
export function enrolmentVerifier(secret: Uint8Array): string {
  const spki = createPublicKey(keyOf(secret)).export({ type: 'spki', format: 'der' });
  return spki.subarray(SPKI_PREFIX.length).toString('base64url');
}

/** Makes the proof for this TLS connection, pin and name. @returns base64url */
export function proveEnrolment(options: Enrolment & { readonly secret: Uint8Array }): string {
  return sign(null, signedBytes(options), keyOf(options.secret)).toString('base64url');
}

/**
 * Whether a proof was made with the secret behind `verifier`, for this connection, pin and name. A malformed proof is
 * invalid and never throws.
 * @throws if the verifier, which Main stored itself, is not an Ed25519 public key
 */
export function verifyEnrolment(
  options: Enrolment & { readonly verifier: string; readonly proof: string },
): boolean {
  const signature = Buffer.from(options.proof, 'base64url');
  if (signature.length !== SIGNATURE_BYTES) return false;
  const spki = Buffer.concat([SPKI_PREFIX, Buffer.from(options.verifier, 'base64url')]);
  const publicKey = createPublicKey({ key: spki, type: 'spki', format: 'der' });
  return verify(null, signedBytes(options), publicKey, signature);
}

/**
 * 32 bytes that only the two ends of this TLS connection know (RFC 5705, RFC 9266).
 * @throws if the connection is not TLS 1.3, below which an exporter does not bind to the handshake by itself, or its
 *   handshake is not finished
 */
export function tlsBinding(socket: TLSSocket): Buffer {
  const version = socket.getProtocol();
  if (version !== 'TLSv1.3') {
    throw new Error(`enrolment needs TLS 1.3, and this connection has ${version ?? 'none yet'}`);
  }
  return socket.exportKeyingMaterial(BINDING_BYTES, EXPORTER_LABEL, Buffer.alloc(0));
}

function keyOf(secret: Uint8Array): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), SEED_LABEL, SEED_BYTES));
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), type: 'pkcs8', format: 'der' });
}

/** Length-prefixes each part, so that different enrolments never give the same signed bytes. */
function signedBytes({ binding, agentPin, name }: Enrolment): Buffer {
  const parts = [Buffer.from(PROOF_LABEL), binding, Buffer.from(agentPin), Buffer.from(name)];
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}
