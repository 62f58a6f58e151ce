import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { PackageOffer } from '#protocol/messages/common.ts';
import { signPackage } from '#host/identity/packageSignature.ts';
import { VERSION } from '#host/version.ts';

/** Reads the agent package that Main serves, and signs it. @param file the package of this version */
export async function offerOf(file: string, keyPem: string): Promise<PackageOffer> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(piece);
    size += piece.length;
  }
  return signPackage(keyPem, { version: VERSION, size, sha256: hash.digest('hex') });
}
