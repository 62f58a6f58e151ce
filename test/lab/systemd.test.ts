import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { MdsStatus, Status } from '../../controller/daemon/status.ts';
import { VERSION } from '../../shared/version.ts';
import { eventually } from '../harness/host.ts';
import { debianImage } from './debian/images.ts';
import { Machine, Network, type Ran } from './debian/machine.ts';
import { builtPackages, installPackage, NEXT, serveBrokenAgent } from './debian/packages.ts';

/** An MDS on which systemd has booted, in a container: the units as they are, with every wall that they build. */

const AGENT = 'xivo-xds-sync-agent';
const ASTERISK = '/usr/sbin/asterisk';

let folder: string;
let network: Network;
let main: Machine;
let mds: Machine;

/** Boots, which is what may not be possible somewhere. */
async function whyNot(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'mounts and networks need root';
  try {
    debianImage('bookworm');
    folder = mkdtempSync(path.join(tmpdir(), 'xds-systemd-'));
    network = new Network();
    const common = { folder, network, release: 'bookworm' } as const;
    main = new Machine({ ...common, name: 'main', address: '10.99.0.1' });
    mds = new Machine({ ...common, name: 'mds1', address: '10.99.0.2', boot: true });
    await mds.booted();
    return false;
  } catch (error) {
    return `no systemd can be booted here: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const why = await whyNot();

describe('Under systemd', { skip: why }, () => {
  let installNext: () => Promise<void>;
  before(
    async () => {
      const packages = builtPackages(folder);
      installPackage(packages, main, 'xivo-xds-sync', VERSION);
      main.write('/etc/asterisk/extensions_extra.d/lab.conf', '[lab]\nexten => 1,1,NoOp()\n');
      main.ok(`xivo-xds-sync init --no-service --listen ${main.address}:9443`);
      main.service('xivo-xds-sync');
      await mainAnswers();
      installNext = async () => {
        await main.stop('xivo-xds-sync');
        installPackage(packages, main, 'xivo-xds-sync', NEXT);
        main.service('xivo-xds-sync');
        await mainAnswers();
      };
    },
    { timeout: 300_000 },
  );
  after(async () => {
    for (const machine of [mds, main]) await machine.end();
    network.end();
    rmSync(folder, { recursive: true, force: true });
  });

  async function mainAnswers(): Promise<void> {
    await eventually('Main answers', () => main.run('xivo-xds-sync mds list').code === 0, 60_000);
  }

  function mdsStatus(): MdsStatus | undefined {
    return (JSON.parse(main.run('xivo-xds-sync status --json').stdout) as Status).mds[0];
  }

  async function inSync(): Promise<void> {
    await eventually('the MDS is in sync', () => mdsStatus()?.inSync === true, 60_000).catch((error: Error) =>
      assert.fail(`${error.message}\n${JSON.stringify(mdsStatus())}\n${journal()}`),
    );
  }

  function journal(): string {
    return mds.run('journalctl --no-pager --lines 60 --identifier xivo-xds-sync').stdout;
  }

  function property(name: string, unit = AGENT): string {
    return mds.ok(`systemctl show --value --property ${name} ${unit}`).trim();
  }

  /** Runs a command as the agent would: behind the same walls. */
  function asAgent(command: string): Ran {
    const pid = property('MainPID');
    const script = `exec nsenter --target ${pid} --mount sh -c '${command}'`;
    return mds.run(script);
  }

  it('mds_install.sh makes the agent a service, and it works behind its walls', async (t) => {
    const { code, stdout, stderr } = main.run('xivo-xds-sync mds add mds1');
    assert.equal(code, 0, stderr);
    const fetch = stderr.split('\n').find((line) => line.trimStart().startsWith('wget')) ?? '';
    t.diagnostic(mds.ok(`cd /root; ${fetch}`, stdout.trim()).trim());
    await inSync();
    assert.equal(property('ActiveState'), 'active');
    assert.equal(property('SubState'), 'running');
    assert.equal(property('UnitFileState'), 'enabled');
    assert.equal(property('ActiveState', `${AGENT}-upgrade.path`), 'active');
    assert.match(mds.read('/etc/asterisk/extensions_extra.d/lab.conf'), /exten => 1/);
    assert.match(mds.ok('grep xivo-xds-sync /var/log/syslog'), /connected to Main/);
  });

  it('the agent reaches Asterisk', async () => {
    // Stands in for it, and says what it was asked.
    mds.write(ASTERISK, '#!/bin/sh\nlogger -t asked -- "$*"\n');
    mds.ok(`chmod 755 ${ASTERISK}`);
    main.write('/var/lib/xivo/moh/default/one.wav', Buffer.alloc(1_000, 'm'));
    await eventually('it was asked', () =>
      /asked.*-rx moh reload/.test(mds.run('journalctl --no-pager -t asked').stdout),
    );
    await inSync();
  });

  it('the agent can neither say whose packages root installs, nor have root start anything', () => {
    const pin = '/var/lib/xivo-xds-sync-upgrade/main-pin';
    const write = asAgent(`echo x > ${pin}`);
    assert.notEqual(write.code, 0);
    assert.match(write.stderr, /Read-only file system/);
    assert.match(mds.read(pin), /^[0-9a-f]{64}\n$/);
    assert.notEqual(asAgent('systemctl restart rsyslog').code, 0);
    assert.notEqual(asAgent('systemd-run --wait true').code, 0);
    assert.equal(mds.run('systemctl restart rsyslog').code, 0);
    assert.match(asAgent('touch /etc/passwd /usr/bin/x /root/x').stderr, /Read-only|Permission|No such/);
  });

  it(
    '"mds upgrade" puts the old agent back where the new one does not start',
    { timeout: 300_000 },
    async () => {
      await installNext();
      await inSync();
      const serveGood = serveBrokenAgent(main, folder);
      const { code, stdout } = main.run('xivo-xds-sync mds upgrade --all');
      serveGood();
      assert.equal(code, 1, stdout);
      assert.match(
        stdout,
        new RegExp(`mds1: NOT upgraded: it ends again and again: see its log; ${VERSION} was put back`),
      );
      assert.equal(mds.ok(`${AGENT} --version`).trim(), VERSION);
      assert.equal(mds.ok('dpkg --audit'), '');
      await inSync();
      assert.equal(mdsStatus()?.agentVersion, VERSION);
    },
  );

  it('"mds upgrade" brings the agent to the version of Main, by the unit that is root\'s', async (t) => {
    const { code, stdout, stderr } = main.run('xivo-xds-sync mds upgrade --all');
    assert.equal(code, 0, `${stdout}${stderr}\n${journal()}`);
    t.diagnostic(stdout.trim());
    assert.equal(mdsStatus()?.agentVersion, NEXT);
    await inSync();
    assert.equal(property('ActiveState'), 'active');
    assert.equal(property('ActiveState', `${AGENT}-upgrade.service`), 'inactive');
    assert.match(journal(), /the new agent is connected/);
  });

  it('an installation that was cut off is undone when systemd comes to it', async () => {
    // As a power cut leaves it: half a new agent, and what the installer had written down.
    const own = '/var/lib/xivo-xds-sync-upgrade';
    const { sha256, version } = JSON.parse(mds.read(`${own}/outcome.json`)) as {
      sha256: string;
      version: string;
    };
    const offer = { version, size: 1, sha256, mainKey: '', signature: '' };
    mds.ok(`
      dpkg-query --listfiles ${AGENT} > /root/list
      mkdir -p /root/tree/DEBIAN
      while read -r file; do if [ -d "$file" ]; then mkdir -p "/root/tree$file"; else cp -a "$file" "/root/tree$file"; fi; done < /root/list
      dpkg-query --status ${AGENT} | sed '/^Status:/d; /^Conffiles:/,/^ /d' > /root/tree/DEBIAN/control
      for script in $(dpkg-query --control-path ${AGENT}); do cp -p $script "/root/tree/DEBIAN/\${script##*.}"; done
      dpkg-deb -Znone --build /root/tree ${own}/previous.deb
      systemctl stop ${AGENT}
      echo 'process.exit(7);' > /usr/lib/${AGENT}/program.mjs`);
    mds.write(`${own}/under-way.json`, JSON.stringify({ offer, from: NEXT, schema: 1 }));
    await eventually('it is undone', () => !mds.has(`${own}/under-way.json`), 60_000);
    await inSync();
    assert.equal(mds.ok(`${AGENT} --version`).trim(), NEXT);
    assert.match(mds.read(`${own}/outcome.json`), /cut off/);
  });
});
