import type { Identity } from './certificate.ts';
import { loadIdentity, loadLoneKey, saveIdentity } from './identityFiles.ts';

/**
 * The identity in a folder, which is made if it is missing. A key without a certificate (making it was cut off) gets
 * one: whoever trusts the key goes on trusting it.
 * @param commonName for a new certificate
 * @throws IdentityFilesError if what is there can't be used
 */
export async function firstIdentity(
  folder: string,
  commonName: string,
): Promise<{ identity: Identity; isNew: boolean }> {
  const keyPem = loadLoneKey(folder);
  const known = keyPem === undefined ? loadIdentity(folder) : undefined;
  if (known !== undefined) return { identity: known, isNew: false };
  // Loaded only here: it takes longer than all the rest.
  const { createIdentity } = await import('./certificate.ts');
  const identity = await createIdentity({ commonName, ...(keyPem !== undefined && { keyPem }) });
  saveIdentity(folder, identity);
  return { identity, isNew: true };
}
