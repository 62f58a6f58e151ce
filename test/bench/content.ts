import { randomBytes } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import path from 'node:path';

const MEBIBYTE = 1 << 20;
/** Real sounds, and the packages of Debian that bring them. */
const SOUND_PACKAGES = ['asterisk-core-sounds-en-wav', 'asterisk-moh-opsound-wav'];

export type SizeRange = { readonly least: number; readonly most: number };

/** Names of so many files. @param perFolder how many are in a folder; 0 for all in one */
export function numberedNames(many: number, perFolder = 0): string[] {
  return Array.from(
    { length: many },
    (_, i) => `${perFolder === 0 ? '' : `${Math.floor(i / perFolder)}/`}${i}.wav`,
  );
}

/** Writes files of random bytes, which can't be compressed, with sizes spread evenly over a range. */
export function makeFiles(folder: string, names: readonly string[], { least, most }: SizeRange): void {
  const pool = randomBytes(most * 2);
  for (const [i, name] of names.entries()) {
    const size = least + ((i * 37) % (most - least + 1));
    const content = Buffer.from(pool.subarray(i % most, (i % most) + size));
    content.writeUInt32LE(i);
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

/** Writes one file of random bytes. @param size in MiB */
export function makeLargeFile(file: string, size: number): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const handle = openSync(file, 'w');
  for (let i = 0; i < size; i++) writeSync(handle, randomBytes(MEBIBYTE));
  closeSync(handle);
}

/** Copies the real sounds that are installed. @returns the packages that they are from */
export function copySounds(folder: string): string[] {
  return SOUND_PACKAGES.filter((name) => {
    const files = filesOfPackage(name);
    for (const file of files) {
      const target = path.join(folder, path.relative('/usr/share/asterisk', file));
      mkdirSync(path.dirname(target), { recursive: true });
      copyFileSync(file, target);
    }
    return files.length > 0;
  });
}

function filesOfPackage(name: string): string[] {
  let listed: string;
  try {
    listed = execFileSync('dpkg', ['-L', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    // It is not installed, or this is no Debian.
    return [];
  }
  return listed
    .split('\n')
    .filter(
      (file) =>
        file.startsWith('/usr/share/asterisk/') &&
        statSync(file, { throwIfNoEntry: false })?.isFile() === true,
    );
}

/** Fills a folder with copies of all files of another, times included. */
export function copyAll(content: string, folder: string): void {
  execFileSync('cp', ['-a', `${content}/.`, folder]);
}

/** The files of a folder and of all below it, by their paths in it. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

/** @throws when a file of one folder has another size in the other, or is not there */
export function checkSame(source: string, target: string, names: readonly string[]): void {
  for (const name of names) {
    const expected = statSync(path.join(source, name)).size;
    const { size } = statSync(path.join(target, name));
    if (size !== expected) throw new Error(`${name} has ${size} bytes on the other side, not ${expected}`);
  }
}
