import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { VERSION } from '#host/version.ts';
import { debianImage } from './debian/images.ts';
import { Machine, Network } from './debian/machine.ts';
import { builtPackages, installPackage } from './debian/packages.ts';

/**
 * The program of the old rsync job has the name of ours. A stand-in for it, as another package, as one of the same name, and
 * put there by hand: on a bare Debian 12.
 */

const CRON = '/etc/cron.d/xivo-xds-sync';
const LINE = '*/15 * * * * root /usr/bin/xivo-xds-sync -q >/dev/null 2>&1\n';

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'mounts and networks need root';
  try {
    debianImage('bookworm');
    return false;
  } catch (error) {
    return `there is no Debian to be had: ${error instanceof Error ? error.message : String(error)}`;
  }
}

describe('The package meets the program of the old rsync job', { skip: whyNot() }, () => {
  let folder: string;
  let packages: string;
  let network: Network;
  const machines: Machine[] = [];

  before(
    () => {
      folder = mkdtempSync(path.join(tmpdir(), 'xds-old-'));
      packages = builtPackages(folder);
      network = new Network();
    },
    { timeout: 900_000 },
  );
  after(async () => {
    for (const machine of machines) await machine.end();
    network.end();
    rmSync(folder, { recursive: true, force: true });
  });

  function machine(name: string): Machine {
    const made = new Machine({
      folder,
      name,
      release: 'bookworm',
      address: `10.99.0.${machines.length + 1}`,
      network,
    });
    machines.push(made);
    return made;
  }

  /** A package with the old program and its cron file. */
  function standIn(name: string): string {
    const tree = path.join(folder, `${name}-stand-in`);
    for (const each of ['DEBIAN', 'usr/bin', 'etc/cron.d'])
      mkdirSync(path.join(tree, each), { recursive: true });
    writeFileSync(path.join(tree, 'usr/bin/xivo-xds-sync'), '#!/bin/sh\necho the old job "$@"\n', {
      mode: 0o755,
    });
    writeFileSync(path.join(tree, CRON), LINE);
    writeFileSync(path.join(tree, 'DEBIAN/conffiles'), `${CRON}\n`);
    writeFileSync(
      path.join(tree, 'DEBIAN/control'),
      `Package: ${name}\nVersion: 0.0.1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: stands in\n`,
    );
    const file = path.join(folder, `${name}-stand-in.deb`);
    execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, file], { stdio: 'ignore' });
    return file;
  }

  function install(host: Machine, file: string): void {
    execFileSync('cp', [file, host.path('/root/stand-in.deb')]);
    host.ok('dpkg --install /root/stand-in.deb');
  }

  it('of another package: that works on under another name, and has its name back when ours goes', () => {
    const main = machine('other');
    install(main, standIn('xivo-sync'));
    installPackage(packages, main, 'xivo-xds-sync', VERSION);
    assert.equal(main.ok('xivo-xds-sync --version').trim(), VERSION);
    assert.equal(main.ok('xivo-xds-sync.rsync -q').trim(), 'the old job -q');
    // What cron starts is still the old job, from the first moment on.
    assert.equal(main.read(CRON), LINE.replace('sync -q', 'sync.rsync -q'));
    assert.equal(main.ok('dpkg --audit'), '');
    // An upgrade of either keeps it so.
    installPackage(packages, main, 'xivo-xds-sync', VERSION);
    install(main, standIn('xivo-sync'));
    assert.equal(main.ok('xivo-xds-sync --version').trim(), VERSION);
    assert.equal(main.ok('xivo-xds-sync.rsync').trim(), 'the old job');
    main.ok('dpkg --remove xivo-xds-sync');
    assert.equal(main.ok('xivo-xds-sync').trim(), 'the old job');
    assert.equal(main.read(CRON), LINE);
    assert.equal(main.ok('dpkg-divert --list "*xds*"'), '');
  });

  it('put there by hand, or by an older package of the same name: as well', () => {
    const byHand = machine('hand');
    byHand.write('/usr/bin/xivo-xds-sync', '#!/bin/sh\necho by hand\n');
    byHand.write(CRON, LINE);
    byHand.ok('chmod 755 /usr/bin/xivo-xds-sync');
    const same = machine('same');
    install(same, standIn('xivo-xds-sync'));
    for (const [host, says] of [
      [byHand, 'by hand'],
      [same, 'the old job'],
    ] as const) {
      installPackage(packages, host, 'xivo-xds-sync', VERSION);
      assert.equal(host.ok('xivo-xds-sync --version').trim(), VERSION);
      assert.equal(host.ok('xivo-xds-sync.rsync').trim(), says);
      assert.match(host.read(CRON), /xivo-xds-sync\.rsync -q/);
      host.ok('dpkg --remove xivo-xds-sync');
      assert.equal(host.ok('xivo-xds-sync').trim(), says);
      assert.equal(host.read(CRON), LINE);
    }
  });

  it('where there is none, nothing of that is shown', () => {
    const bare = machine('bare');
    installPackage(packages, bare, 'xivo-xds-sync', VERSION);
    assert.equal(bare.ok('xivo-xds-sync --version').trim(), VERSION);
    assert.equal(existsSync(bare.path('/usr/bin/xivo-xds-sync.rsync')), false);
    // A version of ours that had no diversion yet is followed by one that has.
    bare.ok('dpkg-divert --package xivo-xds-sync --remove --no-rename /usr/bin/xivo-xds-sync');
    installPackage(packages, bare, 'xivo-xds-sync', VERSION);
    assert.equal(bare.ok('xivo-xds-sync --version').trim(), VERSION);
    assert.equal(existsSync(bare.path('/usr/bin/xivo-xds-sync.rsync')), false);
    bare.ok('dpkg --purge xivo-xds-sync');
    assert.equal(existsSync(bare.path('/usr/bin/xivo-xds-sync')), false);
    assert.equal(bare.ok('dpkg-divert --list "*xds*"'), '');
  });
});
