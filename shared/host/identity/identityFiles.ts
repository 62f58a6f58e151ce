import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeNamesDurable, writeFileDurably } from '../fs/durableFile.ts';
import type { Identity } from './certificate.ts';
import { pinOfCertificate } from './pin.ts';

const KEY_FILE = 'key.pem';
const CERTIFICATE_FILE = 'certificate.pem';

/** The files of an identity exist but can't be used. The message names the file and the remedy. */
export class IdentityFilesError extends Error {
  override name = 'IdentityFilesError';
}

/**
 * Saves an identity as `key.pem` (0600) and `certificate.pem` (0644) in a folder (0700, made if it is missing).
 * Each file is replaced atomically and durably. A renewal writes the same key with another certificate.
 */
export function saveIdentity(folder: string, identity: Identity): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  makeNamesDurable(dirname(folder));
  writeFileDurably(join(folder, KEY_FILE), identity.keyPem, { mode: 0o600 });
  writeFileDurably(join(folder, CERTIFICATE_FILE), identity.certificatePem, { mode: 0o644 });
}

/** The key of an identity whose creation was interrupted before its certificate was written; undefined otherwise. */
export function loadLoneKey(folder: string): string | undefined {
  const keyPath = join(folder, KEY_FILE);
  if (!existsSync(keyPath) || existsSync(join(folder, CERTIFICATE_FILE))) return undefined;
  return readFileSync(keyPath, 'utf8');
}

/**
 * Loads the identity from a folder; undefined if neither of its files is there.
 * @throws IdentityFilesError if one of the two is missing or invalid, or if they don't match
 */
export function loadIdentity(folder: string): Identity | undefined {
  const keyPath = join(folder, KEY_FILE);
  const certificatePath = join(folder, CERTIFICATE_FILE);
  const missing = [keyPath, certificatePath].filter((path) => !existsSync(path));
  if (missing.length === 2) return undefined;
  if (missing[0] !== undefined) {
    throw new IdentityFilesError(
      `${missing[0]} is missing while the other file of this identity is there: restore it from a backup, ` +
        `or, if there is none, move ${folder} away and make a new identity, with which every MDS must then enrol again`,
    );
  }
  return checked(keyPath, certificatePath);
}

/** Removes both files of an identity durably. */
export function removeIdentity(folder: string): void {
  for (const file of [KEY_FILE, CERTIFICATE_FILE]) rmSync(join(folder, file), { force: true });
  makeNamesDurable(folder);
}

function checked(keyPath: string, certificatePath: string): Identity {
  const keyPem = readFileSync(keyPath, 'utf8');
  const certificatePem = readFileSync(certificatePath, 'utf8');
  const key = parsed(keyPath, 'private key', () => createPrivateKey(keyPem));
  const certificate = parsed(certificatePath, 'certificate', () => new X509Certificate(certificatePem));
  if (!certificate.checkPrivateKey(key)) {
    throw new IdentityFilesError(
      `${certificatePath} does not belong to ${keyPath}: restore both from the same backup`,
    );
  }
  return { keyPem, certificatePem, pin: pinOfCertificate(certificate) };
}

function parsed<T>(path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new IdentityFilesError(`${path} can't be read as a ${what}: restore it from a backup`, {
      cause: error,
    });
  }
}
