import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '#host/fs/durableFile.ts';
import { isPin, type Pin } from '#host/identity/pin.ts';

/**
 * The pin of the Main whose packages root installs on this host. Written by `enroll`, which a person runs. The agent's
 * unit can't write there, so an attacker in the agent's process can't have other packages installed.
 */
const FILE = 'main-pin';

/**
 * Stores the pin of the Main whose packages may be installed here.
 * @throws an error that names the file when it can't be written
 */
export function trustMain(installerFolder: string, mainPin: Pin): void {
  mkdirSync(installerFolder, { recursive: true, mode: 0o755 });
  writeFileDurably(path.join(installerFolder, FILE), `${mainPin}\n`, { mode: 0o644 });
}

/** @throws when no Main is trusted, with the remedy */
export function trustedMain(installerFolder: string): Pin {
  const file = path.join(installerFolder, FILE);
  const pin = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  if (isPin(pin)) return pin;
  throw new Error(`${file} does not say whose packages may be installed here: run mds_install.sh here again`);
}

/** Removes the trusted Main: no package is installed any more. */
export function removeTrustedMain(installerFolder: string): void {
  rmSync(installerFolder, { recursive: true, force: true });
}
