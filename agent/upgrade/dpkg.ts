import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export const PACKAGE = 'xivo-xds-sync-agent';

/** Longest wait for dpkg's lock, which apt or an administrator may hold, milliseconds. */
const LOCK_PATIENCE = 60_000;
const LOCK_AGAIN = 2_000;
/** Timeout of one call, milliseconds. */
const LIMIT = 180_000;

const ENVIRONMENT = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

type Ran = { readonly code: number; readonly stdout: string; readonly all: string };

function run(program: string, ...args: readonly string[]): Ran {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: LIMIT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...ENVIRONMENT },
  });
  if (error !== undefined) return { code: 255, stdout: '', all: `${program} can't be run: ${error.message}` };
  return { code: status ?? 255, stdout, all: `${stdout}${stderr}`.trim() };
}

function ok(program: string, ...args: readonly string[]): string {
  const { code, stdout, all } = run(program, ...args);
  if (code !== 0) throw new Error(`"${program} ${args.join(' ')}" ended with ${code}: ${all}`);
  return stdout;
}

/** Whether a file belongs to the agent's package. */
export function owns(file: string): boolean {
  return run('dpkg-query', '--search', file).stdout.startsWith(`${PACKAGE}:`);
}

/** Whether one version is newer than another, as Debian orders them. */
export function isNewer(version: string, than: string): boolean {
  return run('dpkg', '--compare-versions', version, 'gt', than).code === 0;
}

/** @throws when the agent is not installed as a package */
export function installedVersion(): string {
  return ok('dpkg-query', '--show', '--showformat=${Version}', PACKAGE);
}

/** Name and version of a package file. @throws when it is not a package */
export function describePackage(file: string): { name: string; version: string } {
  return {
    name: ok('dpkg-deb', '--field', file, 'Package').trim(),
    version: ok('dpkg-deb', '--field', file, 'Version').trim(),
  };
}

/** Installs a package; changed files in /etc stay. @throws with dpkg's message */
export async function install(file: string): Promise<void> {
  const deadline = Date.now() + LOCK_PATIENCE;
  for (;;) {
    const { code, all } = run('dpkg', '--force-confold', '--install', file);
    if (code === 0) return;
    if (!/lock.*(locked|unable to)|unable to lock/is.test(all) || Date.now() > deadline)
      throw new Error(`dpkg ended with ${code}: ${all.slice(-1_000)}`);
    await sleep(LOCK_AGAIN);
  }
}

/**
 * Repacks the installed files into a package without compression, so that any installation can be restored.
 * @param folder a temporary folder, which is removed
 */
export function repack(folder: string, file: string): void {
  // A folder of the package may be a link on disk (/lib on a merged /usr).
  const script = `
    set -e -o pipefail
    rm -rf "$1" "$2"
    mkdir -p -m 755 "$1/DEBIAN"
    dpkg-query --listfiles ${PACKAGE} | while IFS= read -r file; do
      if [ -d "$file" ]; then mkdir -p -m 755 "$1$file"; else cp -a "$file" "$1$file"; fi
    done
    for script in $(dpkg-query --control-path ${PACKAGE}); do
      cp -p "$script" "$1/DEBIAN/\${script##*.}"
    done
    dpkg-query --status ${PACKAGE} | awk '/^[^ ]/ { skip = /^(Status|Conffiles):/ } !skip' > "$1/DEBIAN/control"
    dpkg-deb -Znone --build "$1" "$2"
    sync "$2"
    rm -rf "$1"`;
  const { code, all } = run('bash', '-c', script, 'bash', folder, file);
  if (code !== 0)
    throw new Error(`the installed agent can't be packed, so nothing was changed: ${all.slice(-500)}`);
}
