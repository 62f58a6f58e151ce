import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

const CACHE = path.resolve(import.meta.dirname, '../../../.cache/debian');

/** Beyond the smallest Debian there is: what a XiVO has, too. */
const PACKAGES = ['rsyslog', 'wget', 'curl', 'systemd-sysv'];
export type Release = 'bullseye' | 'bookworm';

/**
 * A bare Debian in a folder, made with debootstrap the first time and kept: for reading only.
 * @throws when it can't be made, most often since the mirror is out of reach
 */
export function debianImage(release: Release): string {
  const folder = path.join(CACHE, [release, ...PACKAGES].join('+'));
  if (existsSync(path.join(folder, 'usr/bin/dpkg'))) return folder;
  const partial = `${folder}.${process.pid}.partial`;
  mkdirSync(CACHE, { recursive: true });
  try {
    const options = ['--variant=minbase', `--include=${PACKAGES.join(',')}`];
    execFileSync('debootstrap', [...options, release, partial, mirror()], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 240_000,
    });
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

function mirror(): string {
  for (const file of globSync(['/etc/apt/sources.list', '/etc/apt/sources.list.d/*.{list,sources}'])) {
    const found = /^(?:deb (?:\[.*?\] )?|URIs: *)(https?:\/\/\S+\/debian\/?)(?= |$)/m.exec(
      readFileSync(file, 'utf8'),
    );
    if (found?.[1] !== undefined) return found[1];
  }
  throw new Error('no Debian mirror in /etc/apt');
}
