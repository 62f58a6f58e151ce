import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '#host/fs/durableFile.ts';

const PUBLISHED = 'xivo-xds-sync.crt';

/**
 * Puts the public part of Main's identity where a XiVO keeps what others may read.
 * @returns the file, or undefined when it was there already
 */
export function publishCertificate(folder: string, certificatePem: string): string | undefined {
  const file = path.join(folder, PUBLISHED);
  if (existsSync(file) && readFileSync(file, 'utf8') === certificatePem) return undefined;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeFileDurably(file, certificatePem, { mode: 0o644 });
  return file;
}
