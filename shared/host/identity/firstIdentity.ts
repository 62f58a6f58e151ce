import type { Identity } from './certificate.ts';
import { loadIdentity, loadLoneKey, saveIdentity } from './identityFiles.ts';

/**
 * Loads the identity from a folder, or creates it. A key without a certificate (its creation was interrupted) gets a new
 * certificate, so that peers that trust the key keep trusting it.
 * @param commonName for a new certificate
 * @throws IdentityFilesError if the files exist but can't be used
 */
export async function firstIdentity(
  folder: string,
  commonName: string,
): Promise<{ identity: Identity; isNew: boolean }> {
  const keyPem = loadLoneKey(folder);
  const known = keyPem === undefined ? loadIdentity(folder) : undefined;
  if (known !== undefined) return { identity: known, isNew: false };
  const { createIdentity } = await import('./issueCertificate.ts');
  const identity = await createIdentity({ commonName, ...(keyPem !== undefined && { keyPem }) });
  saveIdentity(folder, identity);
  return { identity, isNew: true };
}
