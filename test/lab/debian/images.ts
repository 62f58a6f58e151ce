import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

const CACHE = path.resolve(import.meta.dirname, '../../../.cache/debian');

/** Beyond the smallest Debian there is: what a XiVO has, too. */
const PACKAGES = ['rsyslog', 'wget', 'curl', 'systemd-sysv'];
export type Release = 'bullseye' | 'bookworm';

/**
 * Debian 11 is the last Debian with an Asterisk package; XiVO's own is of that age, too. It lies in that image, so that
 * tests that need an Asterisk and tests that need a Debian 11 share one.
 */
const MORE: Record<Release, readonly string[]> = { bullseye: ['asterisk'], bookworm: [] };

/** Where the image of an earlier run is; undefined when there is none. */
export function cachedImage(release: Release): string | undefined {
  const folder = folderOf(release);
  return existsSync(path.join(folder, 'usr/bin/dpkg')) ? folder : undefined;
}

/**
 * A bare Debian in a folder, made with debootstrap the first time (about a minute and 470 MB) and kept: for reading only.
 * @throws when it can't be made, most often since the mirror is out of reach
 */
export function debianImage(release: Release): string {
  const cached = cachedImage(release);
  if (cached !== undefined) return cached;
  const folder = folderOf(release);
  // Built beside and renamed, so that a run that was cut short, or two at once, leave no half of an image.
  const partial = `${folder}.${process.pid}.partial`;
  mkdirSync(CACHE, { recursive: true });
  try {
    const options = ['--variant=minbase', `--include=${packagesOf(release).join(',')}`];
    execFileSync('debootstrap', [...options, release, partial, mirror()], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 600_000,
    });
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

function packagesOf(release: Release): readonly string[] {
  return [...PACKAGES, ...MORE[release]];
}

function folderOf(release: Release): string {
  return path.join(CACHE, [release, ...packagesOf(release)].join('+'));
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
