import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { VERSION } from '#host/version.ts';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';

function write(host: Host, file: string, text: string): string {
  const target = path.join(host.root, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, text);
  return target;
}

const text = (host: Host, file: string): string | undefined => {
  const target = path.join(host.root, file);
  return existsSync(target) ? readFileSync(target, 'utf8') : undefined;
};

void describe('The configuration', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ mds: ['mds1'], config: 'settle: 100ms\n' });
  });
  after(() => cluster.end());

  const check = async (...args: string[]) => cluster.main.run(['check-config', ...args]);

  void it('is checked before a restart, with every file that counts', async () => {
    const ok = await check();
    assert.equal(ok.code, 0, ok.stderr);
    assert.match(ok.stdout, /controller\.yml: ok\n.*systemctl reload/);
    const drop = write(cluster.main, 'etc/xivo-xds-sync/controller.d/50-x.yml', '# x\nguard: { fils: 1 }\n');
    const wrong = await check();
    assert.equal(wrong.code, 2);
    assert.equal(wrong.stdout, '');
    assert.match(wrong.stderr, /^\S*controller\.d\/50-x\.yml:2: guard\.fils: unknown key/);
    const json = JSON.parse((await check('--json')).stdout) as {
      version: string;
      ok: boolean;
      problems: object[];
    };
    assert.deepEqual(
      [json.version, json.ok, json.problems],
      [
        VERSION,
        false,
        [{ file: drop, line: 2, key: 'guard.fils', message: 'unknown key; known here: percent, files' }],
      ],
    );
    rmSync(drop);
    const other = write(cluster.main, 'tmp/other.yml', 'listen: nowhere:x\n');
    assert.equal((await check(other)).code, 2);
    assert.equal((await check('/nowhere.yml')).code, 2);
    const agents = write(cluster.one('mds1'), 'tmp/agent.yml', 'allow: [srv]\n');
    const agent = await cluster.one('mds1').run(['check-config', agents]);
    assert.equal(agent.code, 2);
    assert.match(agent.stderr, /agent\.yml:1: allow\[0\]: "srv" is not an absolute path/);
    assert.equal((await cluster.one('mds1').run(['check-config'])).code, 0);
  });

  void it('refuses a canary that does not exist', async () => {
    const drop = write(
      cluster.main,
      'etc/xivo-xds-sync/controller.d/60-canary.yml',
      '# new\ncanary: [mds9]\n',
    );
    const ran = await check();
    assert.equal(ran.code, 2);
    const where = `${drop}:2: canary[0]`;
    assert.equal(ran.stderr, `${where}: there is no MDS "mds9"; there are mds1\n`);
    // A start with it does not wait for it, and says so.
    await cluster.main.stop();
    await cluster.startMain();
    cluster.main.write('dialplan', 'canary.conf', '[a]\nexten = 1,1,NoOp()\n');
    await eventually(
      'the change passes',
      () => cluster.one('mds1').read('dialplan', 'canary.conf') !== undefined,
    );
    const { errors } = (await cluster.status()).main;
    assert.match(JSON.stringify(errors), /there is no MDS \\"mds9\\"/);
    rmSync(drop);
    await cluster.main.stop();
    await cluster.startMain();
    await cluster.inSync();
  });

  void it('is reloaded by SIGHUP as far as that goes, and says what needs a restart', async () => {
    const drop = write(
      cluster.main,
      'etc/xivo-xds-sync/controller.d/70-reload.yml',
      'guard: { percent: 0, files: 0 }\nreserve: 1MiB\n',
    );
    cluster.main.signalOnly('SIGHUP');
    await eventually('it is reloaded', () => /configuration reloaded.*guard/.test(cluster.main.log));
    await eventually('it says what needs a restart', () =>
      /a restart is needed.*reserve/.test(cluster.main.log),
    );
    await cluster.inSync();
    cluster.main.write('sounds', 'one.wav', 'x');
    await eventually('it is delivered', () => cluster.one('mds1').read('sounds', 'one.wav') === 'x');
    rmSync(cluster.main.at('sounds', 'one.wav'));
    cluster.main.write('sounds', 'two.wav', 'another');
    await eventually('one removal is held now', async () => {
      const { directories } = await cluster.statusOf('mds1');
      return directories.some(({ name, held }) => name === 'sounds' && held !== null);
    });
    writeFileSync(drop, 'guard: { percent: much }\n');
    cluster.main.signalOnly('SIGHUP');
    await eventually('it is refused', () =>
      /configuration not reloaded.*70-reload\.yml:1/.test(cluster.main.log),
    );
    assert.ok(cluster.main.isRunning);
    rmSync(drop);
    cluster.main.signalOnly('SIGHUP');
    await eventually('the hold ends', () => cluster.one('mds1').read('sounds', 'one.wav') === undefined);
  });

  void it('declares a fifth directory on Main alone, which an MDS takes where it allows that', async () => {
    const mds = cluster.one('mds1');
    symlinkSync('/etc', path.join(mds.root, 'var/lib/xivo/out'));
    write(
      cluster.main,
      'etc/xivo-xds-sync/controller.d/80-more.yml',
      `directories:
  - { name: agi, path: /var/lib/xivo/agi-bin }
  - { name: cron, path: /srv/cron }
  - { name: out, path: /var/lib/xivo/out/cron.d }
`,
    );
    for (const folder of ['var/lib/xivo/agi-bin', 'srv/cron', 'var/lib/xivo/out/cron.d'])
      write(cluster.main, `${folder}/hello.agi`, 'hello');
    await cluster.main.stop();
    await cluster.startMain();
    await eventually('it is on the MDS', () => text(mds, 'var/lib/xivo/agi-bin/hello.agi') === 'hello');
    await eventually('the others are refused by name', async () => {
      const { errors } = await cluster.statusOf('mds1');
      const reported = errors.map(({ message }) => message).join('\n');
      return (
        /"cron" at \/srv\/cron, which is outside/.test(reported) &&
        /"out" at .*a link leads to/.test(reported)
      );
    });
    assert.equal(text(mds, 'srv/cron/hello.agi'), undefined);
    assert.equal(existsSync('/etc/cron.d/hello.agi'), false);
    write(mds, 'etc/xivo-xds-sync/agent.d/allow.yml', 'allow: [/var/lib/xivo, /srv]\n');
    mds.signalOnly('SIGHUP');
    await eventually('what is allowed now arrives', () => text(mds, 'srv/cron/hello.agi') === 'hello');
  });
});
