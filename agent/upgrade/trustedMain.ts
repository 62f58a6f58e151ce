import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '#host/fs/durableFile.ts';
import { isPin, type Pin } from '#host/identity/pin.ts';

/**
 * Whose packages root installs here. Written by `enroll`, which a person runs; the agent under its unit can't write
 * there, so whoever takes the agent's process over can't make himself the one whose packages are installed.
 */
const FILE = 'main-pin';

export function trustMain(installerFolder: string, mainPin: Pin): void {
  mkdirSync(installerFolder, { recursive: true, mode: 0o755 });
  writeFileDurably(path.join(installerFolder, FILE), `${mainPin}\n`, { mode: 0o644 });
}

/** @throws when nobody is trusted, in words that say what to do */
export function trustedMain(installerFolder: string): Pin {
  const file = path.join(installerFolder, FILE);
  const pin = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  if (isPin(pin)) return pin;
  throw new Error(`${file} does not say whose packages may be installed here: run mds_install.sh here again`);
}

/** No Main may install anything here any more. */
export function removeTrustedMain(installerFolder: string): void {
  rmSync(installerFolder, { recursive: true, force: true });
}
