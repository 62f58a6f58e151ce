import { createPublicKey, sign, verify } from 'node:crypto';
import type { PackageOffer } from '#protocol/messages/common.ts';
import { keyPairOf } from './keypair.ts';
import { type Pin, pinOfPublicKey, samePin } from './pin.ts';

/** Domain prefix of the signed text: nothing else that this key signs begins so (certificates are DER, TLS has its own prefix). */
const LABEL = 'xivo-xds-sync agent package v1';

type Package = Pick<PackageOffer, 'version' | 'size' | 'sha256'>;

/**
 * Signs a package offer with Main's key. On an MDS the package is installed by root's own unit, which checks this
 * signature: the agent's session authenticates Main only to the agent.
 * @param keyPem Main's private key
 */
export function signPackage(keyPem: string, { version, size, sha256 }: Package): PackageOffer {
  const { privateKey, spki } = keyPairOf(keyPem);
  const offered = { version, size, sha256 };
  const signature = sign('sha256', signedBytes(offered), privateKey).toString('base64');
  return { ...offered, mainKey: spki.toString('base64'), signature };
}

/** Why an offer was not signed by this Main, for people; undefined when it was. The offer may be any text. */
export function whyNotSigned(offer: PackageOffer, mainPin: Pin): string | undefined {
  const spki = Buffer.from(offer.mainKey, 'base64');
  if (!samePin(pinOfPublicKey(spki), mainPin))
    return 'it is signed with another key than that of the Main that this MDS knows';
  try {
    const key = createPublicKey({ key: spki, type: 'spki', format: 'der' });
    if (verify('sha256', signedBytes(offer), key, Buffer.from(offer.signature, 'base64'))) return undefined;
  } catch {
    // Not a signing key, so nothing is signed by it.
  }
  return "Main's signature does not fit it";
}

/** One part per line; no part can contain a line end. */
function signedBytes({ version, size, sha256 }: Package): Buffer {
  return Buffer.from(`${LABEL}\n${version}\n${size}\n${sha256}\n`);
}
