import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { VERSION } from '#host/version.ts';
import type { Machine } from './machine.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '../../..');

/** The version after this tree's. */
export const NEXT = VERSION.replace(/\d+$/, (last) => String(Number(last) + 1));

/**
 * Builds the packages of this tree's version and of the next.
 * @param folder where they go, unless XDS_PACKAGES names one where they are already
 * @returns where they are
 */
export function builtPackages(folder: string): string {
  const built = process.env['XDS_PACKAGES'];
  if (built !== undefined) return built;
  for (const version of [VERSION, NEXT]) {
    const args = ['run', 'package', '--', '--fast', '--version', version, '--out', folder];
    const { status, stdout, stderr } = spawnSync('npm', args, { cwd: CHECKOUT, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    // It takes minutes, and says meanwhile what it is at.
    for (const name of ['xivo-xds-sync-agent', 'xivo-xds-sync'])
      assert.match(stdout, new RegExp(`^${name} ${version}: packing …$`, 'm'));
    assert.doesNotMatch(stderr, /Warning/);
  }
  return folder;
}

/** Installs one of them. */
export function installPackage(packages: string, machine: Machine, name: string, version: string): void {
  const file = `${name}_${version}_amd64.deb`;
  copyFileSync(path.join(packages, file), machine.path(`/root/${file}`));
  machine.ok(`dpkg --install /root/${file} && rm /root/${file}`);
}

/** Lets Main give away an agent that ends as soon as it is started. @returns puts the good one back */
export function serveBrokenAgent(main: Machine, folder: string): () => void {
  const served = main.path('/usr/share/xivo-xds-sync/xivo-xds-sync-agent.deb');
  const tree = path.join(folder, 'broken');
  copyFileSync(served, `${tree}.good`);
  execFileSync('dpkg-deb', ['--raw-extract', served, tree]);
  execFileSync('sh', [
    '-c',
    `echo 'process.exit(7);' > "$1/usr/lib/xivo-xds-sync-agent/program.mjs"`,
    'sh',
    tree,
  ]);
  execFileSync('dpkg-deb', ['-Znone', '--build', tree, served], { stdio: 'ignore' });
  execFileSync('rm', ['-r', tree]);
  return () => copyFileSync(`${tree}.good`, served);
}
