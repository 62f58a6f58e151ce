import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import type { Status } from '../../controller/control/contract/contract.ts';
import { VERSION } from '#host/version.ts';
import { eventually } from '../support/harness/host.ts';
import { debianImage, type Release } from './debian/images.ts';
import { Machine, Network } from './debian/machine.ts';
import { builtPackages, installPackage as install, NEXT, serveBrokenAgent } from './debian/packages.ts';

/**
 * The packages on a bare Debian 12 as Main and as two MDS, each in a folder and a network namespace, with a real
 * rsyslogd. systemd does not boot there: services run as their units' ExecStart says, with their capabilities.
 * XDS_DEBIAN=both makes the first MDS a Debian 11. XDS_PACKAGES names a folder with packages of two versions that are
 * built already.
 */

const OLD_KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIHRoZSBvbGQga2V5IG9mIHJzeW5jX3hkcyBvbiBNYWlu';

const FIRST_MDS: Release = process.env['XDS_DEBIAN'] === 'both' ? 'bullseye' : 'bookworm';

/** Makes the Debians, which is what may not be possible somewhere. */
function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'mounts and networks need root';
  try {
    for (const release of new Set<Release>(['bookworm', FIRST_MDS])) debianImage(release);
    return false;
  } catch (error) {
    return `there is no Debian to be had: ${error instanceof Error ? error.message : String(error)}`;
  }
}

describe('on a bare Debian', { skip: whyNot() }, () => {
  let folder: string;
  let packages: string;
  let network: Network;
  let main: Machine;
  let mds1: Machine;
  let mds2: Machine;

  before(
    () => {
      folder = mkdtempSync(path.join(tmpdir(), 'xds-debian-'));
      packages = builtPackages(folder);
      network = new Network();
      main = new Machine({ folder, name: 'main', release: 'bookworm', address: '10.99.0.1', network });
      // Either of the programs that fetch is enough.
      const [one, two] = [
        { name: 'mds1', release: FIRST_MDS, address: '10.99.0.2', without: '/usr/bin/curl' },
        { name: 'mds2', release: 'bookworm' as const, address: '10.99.0.3', without: '/usr/bin/wget' },
      ];
      mds1 = new Machine({ folder, network, ...one });
      mds2 = new Machine({ folder, network, ...two });
    },
    { timeout: 900_000 },
  );
  after(async () => {
    for (const machine of [mds2, mds1, main]) await machine.end();
    network.end();
    rmSync(folder, { recursive: true, force: true });
  });

  function installPackage(machine: Machine, name: string, version: string): void {
    install(packages, machine, name, version);
  }

  function status(): Status {
    const { stdout, stderr } = main.run('xivo-xds-sync status --json');
    assert.notEqual(stdout, '', stderr);
    return JSON.parse(stdout) as Status;
  }

  async function mainAnswers(): Promise<void> {
    await eventually('Main answers', () => main.run('xivo-xds-sync mds list').code === 0, 60_000);
  }

  async function inSync(name: string): Promise<void> {
    await eventually(
      `${name} is in sync`,
      () => status().mds.find((mds) => mds.name === name)?.inSync === true,
      60_000,
    );
  }

  it('Main is a package, a command and a service', async () => {
    main.write('/etc/cron.d/xivo-xds-sync', '*/15 * * * * root rsync\n');
    main.write('/usr/share/xivo-certs/rsync_xds.pub', `ssh-ed25519 ${OLD_KEY} root@main\n`);
    main.write('/etc/asterisk/extensions_extra.d/lab.conf', '[lab]\nexten => 1,1,NoOp()\n');
    main.write('/var/lib/xivo/moh/default/one.wav', Buffer.alloc(100_000, 'm'));
    // As a XiVO has its folders.
    main.ok('chgrp www-data /var/lib/xivo/moh/default && chmod 2775 /var/lib/xivo/moh/default');
    installPackage(main, 'xivo-xds-sync', VERSION);
    assert.equal(main.ok('xivo-xds-sync --version').trim(), VERSION);
    const said = main.ok(`xivo-xds-sync init --no-service --listen ${main.address}:9443`);
    assert.match(said, /disabled the old rsync job/);
    assert.match(main.read('/etc/xivo-xds-sync/controller.yml'), /^listen: "10\.99\.0\.1:9443"$/m);
    main.service('xivo-xds-sync');
    await mainAnswers();
  });

  it('an MDS that meets a Main with another key than the token says takes nothing from it', () => {
    const { token, commands } = join('mds1');
    const wrong = commands.replace(/sha256\/\/[^']+/, `sha256//${Buffer.alloc(32).toString('base64')}`);
    assert.notEqual(mds1.run(wrong, token).code, 0);
    assert.equal(mds1.has('/usr/bin/xivo-xds-sync-agent'), false);
    // The script itself came over a checked connection; the token is of another Main.
    const payload = JSON.parse(Buffer.from(token.slice('xds1.'.length), 'base64url').toString()) as object;
    const forged = `xds1.${Buffer.from(JSON.stringify({ ...payload, m: '0'.repeat(64) })).toString('base64url')}`;
    const before = tree(mds1);
    const { code, stderr } = mds1.run(commands, forged);
    assert.equal(code, 1);
    assert.match(stderr, /the agent can't be fetched from Main/);
    assert.deepEqual(
      tree(mds1).filter((line) => !line.includes('mds_install.sh')),
      before.filter((line) => !line.includes('mds_install.sh')),
    );
    main.ok('xivo-xds-sync mds remove mds1');
  });

  for (const name of ['mds1', 'mds2'] as const) {
    it(`${name} goes from bare to in sync by the line that "mds add" prints`, async (t) => {
      const mds = name === 'mds1' ? mds1 : mds2;
      mds.write('/root/.ssh/authorized_keys', `ssh-rsa AAAAmine me\nssh-ed25519 ${OLD_KEY} root@main\n`);
      const { token, commands } = join(name);
      const began = Date.now();
      t.diagnostic(mds.ok(commands, token).trim());
      await inSync(name);
      const seconds = (Date.now() - began) / 1000;
      t.diagnostic(`from bare to in sync: ${seconds.toFixed(1)} s`);
      assert.ok(seconds < 60);
      assert.equal(
        mds.read('/etc/asterisk/extensions_extra.d/lab.conf'),
        main.read('/etc/asterisk/extensions_extra.d/lab.conf'),
      );
      assert.equal(statSync(mds.path('/var/lib/xivo/moh/default')).mode & 0o7777, 0o2775);
      assert.equal(mds.read('/root/.ssh/authorized_keys'), 'ssh-rsa AAAAmine me\n');
      assert.match(mds.read('/root/.ssh/authorized_keys.before-xivo-xds-sync'), new RegExp(OLD_KEY));
      // From here on as its unit starts it, with the capabilities of the unit.
      mds.ok('kill $(cat /run/xivo-xds-sync/agent.pid); rm /run/xivo-xds-sync/agent.pid; sleep 1');
      mds.service('xivo-xds-sync-agent');
      await eventually(`${name} is back`, () => mds.run('xivo-xds-sync-agent status').code === 0, 30_000);
    });
  }

  it('grep xivo-xds-sync /var/log/syslog shows the work', async () => {
    main.write('/etc/asterisk/extensions_extra.d/lab.conf', '[lab]\nexten => 2,1,NoOp()\n');
    await eventually('the change is there', () =>
      /exten => 2/.test(mds1.read('/etc/asterisk/extensions_extra.d/lab.conf')),
    );
    const log = (): string => main.run('grep xivo-xds-sync /var/log/syslog').stdout;
    await eventually('the log tells', () => /dialplan\S* .*mds1|mds1.*dialplan/.test(log())).catch(
      (error: Error) => assert.fail(`${error.message}\n${log()}`),
    );
    assert.match(main.ok('grep xivo-xds-sync /var/log/syslog'), /agent connected mds=mds1/);
    assert.match(mds1.ok('grep xivo-xds-sync /var/log/syslog'), /connected to Main/);
  });

  it('a service stops within 10 s, also during a transfer', async (t) => {
    main.write('/var/lib/xivo/moh/default/long.wav', Buffer.alloc(150_000_000, 'l'));
    await eventually('the transfer began', () =>
      status().mds.some(({ directories }) => directories.some(({ pending }) => pending > 0)),
    );
    const { code, tookMs } = await mds1.stop('xivo-xds-sync-agent');
    t.diagnostic(`stopped in ${tookMs} ms`);
    assert.equal(code, 0);
    assert.ok(tookMs < 10_000);
    mds1.service('xivo-xds-sync-agent');
    await inSync('mds1');
  });

  it('an upgrade keeps every setting and every byte of identity and state', async () => {
    main.ok('echo "# my own line" >> /etc/xivo-xds-sync/controller.yml');
    for (const [machine, name] of [
      [main, 'xivo-xds-sync'],
      [mds1, 'xivo-xds-sync-agent'],
    ] as const) {
      await machine.stop(name);
      const kept = hashes(machine);
      installPackage(machine, name, NEXT);
      assert.deepEqual(hashes(machine), kept);
      assert.equal(machine.ok(`${name} --version`).trim(), NEXT);
      machine.service(name);
      if (machine === main) await mainAnswers();
    }
    await inSync('mds1');
    await inSync('mds2');
    const versions = status().mds.map(({ name, agentVersion }) => `${name} ${agentVersion}`);
    assert.deepEqual(versions, [`mds1 ${NEXT}`, `mds2 ${VERSION}`]);
  });

  it('"mds upgrade" puts the old package back where the new one does not start', async () => {
    const serveGood = serveBrokenAgent(main, folder);
    const settings = mds2.read('/etc/xivo-xds-sync/agent.yml');
    const { code, stdout } = main.run('xivo-xds-sync mds upgrade mds2');
    serveGood();
    assert.equal(code, 1, stdout);
    assert.match(stdout, new RegExp(`mds2: NOT upgraded: it ended \\(7\\): .*; ${VERSION} was put back`));
    assert.equal(mds2.ok('xivo-xds-sync-agent --version').trim(), VERSION);
    assert.equal(mds2.ok('dpkg --audit'), '');
    assert.equal(mds2.ok('dpkg --verify xivo-xds-sync-agent').replace(/^.* c .*\n/gm, ''), '');
    assert.equal(mds2.read('/etc/xivo-xds-sync/agent.yml'), settings);
    await inSync('mds2');
  });

  it('"mds upgrade" brings an agent to the version of Main', async (t) => {
    const { code, stdout, stderr } = main.run('xivo-xds-sync mds upgrade --all');
    assert.equal(code, 0, `${stdout}${stderr}`);
    t.diagnostic(stdout.trim());
    assert.match(stdout, new RegExp(`mds2: upgraded from ${VERSION} to ${NEXT} in `));
    assert.equal(mds2.ok('xivo-xds-sync-agent --version').trim(), NEXT);
    assert.equal(mds2.ok('dpkg --audit'), '');
    await inSync('mds2');
    main.write('/etc/asterisk/extensions_extra.d/lab.conf', '[lab]\nexten => 3,1,NoOp()\n');
    await eventually('the new agent works', () =>
      /exten => 3/.test(mds2.read('/etc/asterisk/extensions_extra.d/lab.conf')),
    );
  });

  it('mds_install.sh, run again, upgrades an agent that is behind Main', async () => {
    mds2.ok('kill $(cat /run/xivo-xds-sync/agent.pid); sleep 1');
    installPackage(mds2, 'xivo-xds-sync-agent', VERSION);
    const again = `/usr/share/xivo-xds-sync-agent/mds_install.sh --main ${main.address}:9443`;
    assert.match(mds2.ok(again), new RegExp(`upgraded the agent from ${VERSION} to ${NEXT}`));
    assert.equal(mds2.ok('xivo-xds-sync-agent --version').trim(), NEXT);
    await inSync('mds2');
    assert.doesNotMatch(mds2.ok(again), /upgraded/);
  });

  it('mds_install.sh --uninstall removes the package, leaves Main, and keeps the files', () => {
    const said = mds2.ok('/usr/share/xivo-xds-sync-agent/mds_install.sh --uninstall');
    assert.match(said, /removed the package xivo-xds-sync-agent\nthis host is no longer an MDS/);
    for (const gone of [
      '/usr/bin/xivo-xds-sync-agent',
      '/var/lib/xivo-xds-sync-upgrade',
      '/var/lib/xivo-xds-sync/identity',
    ])
      assert.equal(mds2.has(gone), false, gone);
    assert.ok(mds2.has('/etc/asterisk/extensions_extra.d/lab.conf'));
    assert.deepEqual(
      status().mds.filter(({ name, state }) => name === 'mds2' && state === 'connected'),
      [],
    );
  });

  it('a state that a newer version wrote is never opened by an older one', async () => {
    await mds1.stop('xivo-xds-sync-agent');
    const db = new DatabaseSync(mds1.path('/var/lib/xivo-xds-sync/state.sqlite'));
    db.exec('PRAGMA user_version = 999');
    db.close();
    const { code, stderr } = mds1.run('timeout 20 xivo-xds-sync-agent run');
    assert.notEqual(code, 0);
    assert.match(stderr, /written by a newer version/);
  });

  it('both packages can be installed on one machine', () => {
    installPackage(main, 'xivo-xds-sync-agent', NEXT);
    assert.equal(main.ok('dpkg --audit'), '');
    main.ok('dpkg --purge xivo-xds-sync-agent');
    assert.ok(main.has('/var/lib/xivo-xds-sync/identity/key.pem'), 'purging one keeps what the other needs');
  });

  it('removing keeps settings and state, purging takes them, and the files stay', () => {
    mds1.ok('dpkg --remove xivo-xds-sync-agent');
    assert.equal(mds1.has('/usr/bin/xivo-xds-sync-agent'), false);
    assert.ok(mds1.has('/etc/xivo-xds-sync/agent.yml'));
    assert.ok(mds1.has('/var/lib/xivo-xds-sync/identity/key.pem'));
    mds1.ok('dpkg --purge xivo-xds-sync-agent');
    assert.equal(mds1.has('/etc/xivo-xds-sync'), false);
    assert.equal(mds1.has('/var/lib/xivo-xds-sync'), false);
    assert.ok(mds1.has('/etc/asterisk/extensions_extra.d/lab.conf'));
    assert.deepEqual(globSync('usr/{bin,lib,share/man/man8}/xivo-xds-sync*', { cwd: mds1.root }), []);
  });

  /** A token, and what Main says to type on the MDS: with wget or curl, as that one has. */
  function join(name: string): { token: string; commands: string } {
    const { code, stdout, stderr } = main.run(`xivo-xds-sync mds add ${name}`);
    assert.equal(code, 0, stderr);
    const [program] = name === 'mds1' ? ['wget'] : ['curl'];
    const line = stderr.split('\n').find((each) => each.trimStart().startsWith(program ?? ''));
    assert.ok(line !== undefined, stderr);
    return { token: stdout.trim(), commands: `cd /root; ${line.trim()}` };
  }

  function hashes(machine: Machine): string[] {
    return globSync('{etc,var/lib}/xivo-xds-sync/**/*', { cwd: machine.root })
      .filter((file) => statSync(machine.path(file)).isFile())
      .toSorted()
      .map(
        (file) =>
          `${file} ${createHash('sha256')
            .update(readFileSync(machine.path(file)))
            .digest('hex')}`,
      );
  }

  /** What is installed, configured or left somewhere. */
  function tree(machine: Machine): string[] {
    const skip = [
      '-path ./proc',
      '-path ./dev',
      '-path ./var/log',
      '-path ./var/lib/dpkg',
      '-path ./var/cache',
    ];
    return machine
      .ok(`cd / && find . \\( ${skip.join(' -o ')} \\) -prune -o -newer /etc/hostname -type f -print`)
      .split('\n')
      .toSorted();
  }
});
