import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { IdentityFilesError, loadIdentity, saveIdentity } from '#host/identity/identityFiles.ts';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'xds-identity-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'identity');
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o7777;
}

void test('an identity that was saved is loaded as it was', async (t) => {
  const folder = folderFor(t);
  const identity = await createIdentity({ commonName: 'mds1' });
  saveIdentity(folder, identity);
  assert.deepEqual(loadIdentity(folder), identity);
  assert.deepEqual(readdirSync(folder).toSorted(), ['certificate.pem', 'key.pem']);
});

void test('only the owner can read the key, everyone the certificate, and the folder is closed', async (t) => {
  const folder = folderFor(t);
  saveIdentity(folder, await createIdentity({ commonName: 'mds1' }));
  assert.equal(modeOf(folder), 0o700);
  assert.equal(modeOf(join(folder, 'key.pem')), 0o600);
  assert.equal(modeOf(join(folder, 'certificate.pem')), 0o644);
});

void test('a missing identity is no error', (t) => {
  assert.equal(loadIdentity(folderFor(t)), undefined);
});

void test('half an identity is an error that names the missing file, and is not replaced by a new one', async (t) => {
  for (const missing of ['key.pem', 'certificate.pem']) {
    const folder = folderFor(t);
    saveIdentity(folder, await createIdentity({ commonName: 'mds1' }));
    rmSync(join(folder, missing));
    assert.throws(
      () => loadIdentity(folder),
      (error) => error instanceof IdentityFilesError && error.message.includes(join(folder, missing)),
    );
  }
});

void test('a damaged key or certificate is an error that names it', async (t) => {
  for (const damaged of ['key.pem', 'certificate.pem']) {
    const folder = folderFor(t);
    saveIdentity(folder, await createIdentity({ commonName: 'mds1' }));
    writeFileSync(join(folder, damaged), 'nonsense');
    assert.throws(
      () => loadIdentity(folder),
      (error) => error instanceof IdentityFilesError && error.message.includes(join(folder, damaged)),
    );
  }
});

void test('a certificate for another key is noticed', async (t) => {
  const folder = folderFor(t);
  saveIdentity(folder, await createIdentity({ commonName: 'mds1' }));
  const other = await createIdentity({ commonName: 'mds1' });
  writeFileSync(join(folder, 'certificate.pem'), other.certificatePem);
  assert.throws(() => loadIdentity(folder), /does not belong to/);
});
