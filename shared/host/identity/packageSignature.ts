import { createPublicKey, sign, verify } from 'node:crypto';
import type { PackageOffer } from '#protocol/messages/common.ts';
import { keyPairOf } from './keypair.ts';
import { type Pin, pinOfPublicKey, samePin } from './pin.ts';

/** What is signed begins so: nothing else that this key signs does (certificates are DER, TLS has its own prefix). */
const LABEL = 'xivo-xds-sync agent package v1';

type Package = Pick<PackageOffer, 'version' | 'size' | 'sha256'>;

/**
 * Main's word for a package. What installs it on an MDS is not the agent but root's own unit, and that takes Main's
 * signature, not the agent's word: a session proves to the agent alone who is on the other end.
 * @param keyPem Main's private key
 */
export function signPackage(keyPem: string, { version, size, sha256 }: Package): PackageOffer {
  const { privateKey, spki } = keyPairOf(keyPem);
  const offered = { version, size, sha256 };
  const signature = sign('sha256', signedBytes(offered), privateKey).toString('base64');
  return { ...offered, mainKey: spki.toString('base64'), signature };
}

/** Why an offer is not this Main's, for people; undefined when it is. An offer may be any text of a peer's. */
export function whyNotSigned(offer: PackageOffer, mainPin: Pin): string | undefined {
  const spki = Buffer.from(offer.mainKey, 'base64');
  if (!samePin(pinOfPublicKey(spki), mainPin))
    return 'it is signed with another key than that of the Main that this MDS knows';
  try {
    const key = createPublicKey({ key: spki, type: 'spki', format: 'der' });
    if (verify('sha256', signedBytes(offer), key, Buffer.from(offer.signature, 'base64'))) return undefined;
  } catch {
    // No key of a kind that signs: whatever it is, it vouches for nothing.
  }
  return "Main's signature does not fit it";
}

/** One line each, and none of the parts can hold a line end. */
function signedBytes({ version, size, sha256 }: Package): Buffer {
  return Buffer.from(`${LABEL}\n${version}\n${size}\n${sha256}\n`);
}
