import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { cachedImage, debianImage } from '../debian/images.ts';

/** Where a real Asterisk lies, or why there is none here. */
export type AsteriskRoot =
  { readonly folder: string; readonly missing?: undefined } | { readonly missing: string };

/** The Asterisk of an earlier run, without fetching one. */
export function cachedAsterisk(): AsteriskRoot {
  const folder = cachedImage('bullseye');
  return folder === undefined
    ? { missing: 'no Asterisk was fetched yet: run node test/lab/asterisk/fetch.ts as root' }
    : { folder };
}

/** Gets a Debian with Asterisk into the cache folder once. */
export function fetchAsterisk(): AsteriskRoot {
  const cached = cachedAsterisk();
  if (cached.missing === undefined) return cached;
  if (process.getuid?.() !== 0) return { missing: 'debootstrap needs root' };
  try {
    if (!existsSync('/usr/sbin/debootstrap')) {
      const words = ['-o', 'DPkg::Lock::Timeout=120', 'install', '-y', 'debootstrap'];
      execFileSync('apt-get', words, { stdio: ['ignore', 'ignore', 'inherit'] });
    }
    return { folder: debianImage('bullseye') };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

/** The command that runs the cached Asterisk on this system, with that system's own loader and libraries. */
export function asteriskCommand(folder: string): string[] {
  const [loader] = globSync(join(folder, 'usr/lib/*-linux-gnu*/ld-*.so'));
  if (loader === undefined) throw new Error(`There is no program loader in ${folder}.`);
  const libraries = [join(loader, '..'), join(folder, 'usr/lib')].join(':');
  return [loader, '--library-path', libraries, join(folder, 'usr/sbin/asterisk')];
}
