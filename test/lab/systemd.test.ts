import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { VERSION } from '#host/version.ts';
import { eventually } from '../support/harness/host.ts';
import { NEXT, serveBrokenAgent } from './debian/packages.ts';
import { AGENT, Site } from './debian/site.ts';

const ASTERISK = '/usr/sbin/asterisk';

const booted = await Site.boot({ release: 'bookworm' });

describe('Under systemd', { skip: typeof booted === 'string' && booted }, () => {
  if (typeof booted === 'string') return;
  const site = booted;
  const { main, mds } = site;
  const packaged = [
    [main, 'xivo-xds-sync'],
    [mds, AGENT],
  ] as const;

  before(
    async () => {
      main.write('/etc/asterisk/extensions_extra.d/lab.conf', '[lab]\nexten => 1,1,NoOp()\n');
      await site.startMain();
    },
    { timeout: 300_000 },
  );
  after(() => site.end());

  it('mds_install.sh makes the agent a service, and it works behind its walls', async (t) => {
    t.diagnostic((await site.join()).trim());
    assert.equal(site.property('ActiveState'), 'active');
    assert.equal(site.property('SubState'), 'running');
    assert.equal(site.property('UnitFileState'), 'enabled');
    assert.equal(site.property('ActiveState', `${AGENT}-upgrade.path`), 'active');
    assert.match(mds.read('/etc/asterisk/extensions_extra.d/lab.conf'), /exten => 1/);
    assert.match(mds.ok('grep xivo-xds-sync /var/log/syslog'), /connected to Main/);
  });

  it('systemctl reload applies a changed configuration on both', async () => {
    main.write('/etc/xivo-xds-sync/controller.d/bandwidth.yml', 'bandwidth: { limit: 900Mbit }\n');
    mds.write('/etc/xivo-xds-sync/agent.d/bandwidth.yml', 'bandwidth: { limit: 800Mbit }\n');
    main.ok('systemctl reload xivo-xds-sync');
    mds.ok(`systemctl reload ${AGENT}`);
    for (const host of [main, mds])
      await eventually(`${host.name} says so`, () =>
        /configuration reloaded changed=bandwidth/.test(
          host.run('grep xivo-xds-sync /var/log/syslog').stdout,
        ),
      );
  });

  it('the agent reaches Asterisk', async () => {
    // Stands in for it, and says what it was asked.
    mds.write(ASTERISK, '#!/bin/sh\nlogger -t asked -- "$*"\n');
    mds.ok(`chmod 755 ${ASTERISK}`);
    main.write('/var/lib/xivo/moh/default/one.wav', Buffer.alloc(1_000, 'm'));
    await eventually('it was asked', () =>
      /asked.*-rx moh reload/.test(mds.run('journalctl --no-pager -t asked').stdout),
    );
    await site.inSync();
  });

  it('a package that was removed while its service ran, and is installed again, runs again', async () => {
    for (const [machine, name] of packaged) {
      site.reinstall(machine, name);
      assert.equal(site.property('ActiveState', name, machine), 'active', name);
      assert.equal(site.property('UnitFileState', name, machine), 'enabled', name);
    }
    assert.equal(site.property('ActiveState', `${AGENT}-upgrade.path`), 'active');
    await site.inSync();
  });

  it('one that a person had stopped before stays off, until it is started', async () => {
    for (const [machine, name] of packaged) {
      machine.ok(`systemctl stop ${name}`);
      site.reinstall(machine, name);
      assert.equal(site.property('ActiveState', name, machine), 'inactive', name);
      assert.equal(site.property('UnitFileState', name, machine), 'enabled', name);
    }
    for (const [machine, name] of packaged) machine.ok(`systemctl start ${name}`);
    await site.inSync();
  });

  it('the agent can neither choose whose packages root installs, nor make root start anything', () => {
    const pin = '/var/lib/xivo-xds-sync-upgrade/main-pin';
    const write = site.asAgent(`echo x > ${pin}`);
    assert.notEqual(write.code, 0);
    assert.match(write.stderr, /Read-only file system/);
    assert.match(mds.read(pin), /^[0-9a-f]{64}\n$/);
    assert.notEqual(site.asAgent('systemctl restart rsyslog').code, 0);
    assert.notEqual(site.asAgent('systemd-run --wait true').code, 0);
    assert.equal(mds.run('systemctl restart rsyslog').code, 0);
    assert.match(site.asAgent('touch /etc/passwd /usr/bin/x /root/x').stderr, /Read-only|Permission|No such/);
  });

  it(
    '"mds upgrade" puts the old agent back where the new one does not start',
    { timeout: 300_000 },
    async () => {
      await site.upgradeMain(NEXT);
      await site.inSync();
      const serveGood = serveBrokenAgent(main, site.folder);
      const { code, stdout } = main.run('xivo-xds-sync mds upgrade --all');
      serveGood();
      assert.equal(code, 1, stdout);
      assert.match(
        stdout,
        new RegExp(`mds1: NOT upgraded: it stops again and again: see its log; ${VERSION} was put back`),
      );
      assert.equal(mds.ok(`${AGENT} --version`).trim(), VERSION);
      assert.equal(mds.ok('dpkg --audit'), '');
      await site.inSync();
      assert.equal(site.status()?.agentVersion, VERSION);
    },
  );

  it('"mds upgrade" brings the agent to the version of Main, by the unit that is root\'s', async (t) => {
    const { code, stdout, stderr } = main.run('xivo-xds-sync mds upgrade --all');
    assert.equal(code, 0, `${stdout}${stderr}\n${site.journal()}`);
    t.diagnostic(stdout.trim());
    assert.equal(site.status()?.agentVersion, NEXT);
    await site.inSync();
    assert.equal(site.property('ActiveState'), 'active');
    await eventually(
      'the installer ends',
      () => site.property('ActiveState', `${AGENT}-upgrade.service`) === 'inactive',
    );
    assert.match(site.journal(), /the new agent is connected/);
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
    await site.inSync();
    assert.equal(mds.ok(`${AGENT} --version`).trim(), NEXT);
    assert.match(mds.read(`${own}/outcome.json`), /cut off/);
  });
});
