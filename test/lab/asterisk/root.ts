import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

/** Debian 11 is the last Debian with an Asterisk package; XiVO's own is of that age, too. */
const SUITE = 'bullseye';

const CACHE = fileURLToPath(new URL('../../../.cache/asterisk/', import.meta.url));

/** Where a real Asterisk lies, or why there is none here. */
export type AsteriskRoot =
  { readonly folder: string; readonly missing?: undefined } | { readonly missing: string };

/** The Asterisk of an earlier run, without fetching one. */
export function cachedAsterisk(): AsteriskRoot {
  const folder = join(CACHE, 'root');
  return existsSync(join(folder, 'usr/sbin/asterisk'))
    ? { folder }
    : { missing: 'no Asterisk was fetched yet: run node test/lab/asterisk/fetch.ts as root' };
}

/** Gets Asterisk into the cache folder once, with debootstrap: about a minute and 430 MB. */
export async function fetchAsterisk(): Promise<AsteriskRoot> {
  const cached = cachedAsterisk();
  if (cached.missing === undefined) return cached;
  if (process.getuid?.() !== 0) return { missing: 'debootstrap needs root' };
  const mirror = await debianMirror();
  if (mirror === undefined) return { missing: 'no Debian mirror in /etc/apt' };
  if (!existsSync('/usr/sbin/debootstrap')) {
    const installed = await run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', 'install', '-y', 'debootstrap']);
    if (installed !== undefined) return { missing: `debootstrap could not be installed: ${installed}` };
  }
  // Built beside and renamed, so that a run that was cut short, or two at once, leave no half of a root.
  const partial = join(CACHE, `root.${String(process.pid)}.partial`);
  await mkdir(CACHE, { recursive: true });
  const built = await run('debootstrap', ['--variant=minbase', '--include=asterisk', SUITE, partial, mirror]);
  if (built === undefined && !existsSync(join(CACHE, 'root'))) await rename(partial, join(CACHE, 'root'));
  await rm(partial, { recursive: true, force: true });
  return built === undefined ? cachedAsterisk() : { missing: `debootstrap failed: ${built}` };
}

/** The command that runs the cached Asterisk on this system, with that system's own loader and libraries. */
export function asteriskCommand(folder: string): string[] {
  const [loader] = globSync(join(folder, 'usr/lib/*-linux-gnu*/ld-*.so'));
  if (loader === undefined) throw new Error(`There is no program loader in ${folder}.`);
  const libraries = [join(loader, '..'), join(folder, 'usr/lib')].join(':');
  return [loader, '--library-path', libraries, join(folder, 'usr/sbin/asterisk')];
}

async function debianMirror(): Promise<string | undefined> {
  for (const file of globSync(['/etc/apt/sources.list', '/etc/apt/sources.list.d/*.{list,sources}'])) {
    const text = await readFile(file, 'utf8');
    const found = /^(?:deb (?:\[.*?\] )?|URIs: *)(https?:\/\/\S+\/debian\/?)(?= |$)/m.exec(text);
    if (found?.[1] !== undefined) return found[1];
  }
  return undefined;
}

/** Runs a command to its end; returns undefined when it did well, and its last line when it did not. */
function run(program: string, args: readonly string[]): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let last = '';
  const keep = (piece: Buffer): void => {
    last = piece.toString().trim().split('\n').at(-1) ?? last;
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.once('error', (error) => {
    resolve(error.message);
  });
  child.once('close', (code) => {
    resolve(code === 0 ? undefined : last);
  });
  return promise;
}
