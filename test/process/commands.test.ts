import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

const shell = promisify(execFile);
const MAIN = path.resolve(import.meta.dirname, '../../bin/xivo-xds-sync');

describe('The command line', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ mds: ['mds1'] });
  });
  after(async () => cluster.end());

  const refused = async (line: string): Promise<string> => {
    const ran = await cluster.main.run(line.split(' '));
    assert.equal(ran.code, 2, `${line}: ${ran.stdout}${ran.stderr}`);
    assert.equal(ran.stdout, '', line);
    return ran.stderr;
  };

  void it('refuses words and options that do not belong to a command, and changes nothing', async () => {
    for (const line of [
      'confirm moh mds1',
      'pause --mds mds1',
      'mds upgrade mds1 mds2',
      'mds upgrade mds1 --all',
      'history moh/one.wav',
      'status --mds nope',
      'sync mds1',
    ])
      assert.notEqual(await refused(line), '', line);
    assert.equal((await cluster.status()).main.pausedUntil, null);
  });

  void it('names what exists when it is asked for what does not', async () => {
    for (const line of [
      'sync --mds nope',
      '-n --mds nope',
      'verify --mds nope',
      'status --mds nope',
      'why moh/x.wav --mds nope',
      'trash list --mds nope',
      'history --mds nope',
      'confirm moh --mds nope',
      'mds upgrade nope',
      'mds remove nope',
    ])
      assert.match(await refused(line), /there is no MDS "nope" \(known: mds1/, line);
    for (const line of [
      'why nope/x.wav',
      'trash restore nope/x.wav',
      'trash restore nope/x.wav --from mds1',
      'trash restore nope',
      'history --path nope/x.wav',
      'diff mds1 nope/x.wav',
    ])
      assert.match(
        await refused(line),
        /"nope.* no synchronised directory.*\(directories: dialplan, moh,/,
        line,
      );
    assert.match(await refused('confirm nope'), /known: dialplan, moh, recordings, sounds/);
    assert.match(await refused('mds approve mds1'), /mds1 is enrolled already/);
    assert.match(await refused('mds approve nope'), /none exists yet/);
  });

  void it('suggests the nearest word for a wrong one, and prints help', async () => {
    assert.match(await refused('stauts'), /Did you mean status\?/);
    assert.match(await refused('status --jsn'), /Did you mean --json\?/);
    assert.match(await cluster.main.ok(['help']), /Commands:[^]*status/);
    assert.match(await cluster.main.ok(['help', 'mds', 'add']), /Examples:\n {2}xivo-xds-sync mds add/);
    assert.match(await refused('help nope'), /unknown command 'nope'/);
  });

  void it('--json gives an object with the version', async () => {
    for (const line of [
      'status',
      'sync',
      '-n',
      'verify',
      'mds list',
      'mds add mds9',
      'why moh/x.wav',
      'trash list',
      'history',
      'confirm moh',
      'pause --for 1s',
      'resume',
      'doctor',
      'init --no-service',
    ]) {
      const { stdout, stderr } = await cluster.main.run([...line.split(' '), '--json']);
      const reported = JSON.parse(stdout || '{}') as { version?: string };
      assert.match(reported.version ?? '', /^\d+\.\d+/, `${line}: ${stdout}${stderr}`);
    }
  });

  void it('ends quietly when its output is closed, and says that a disk is full', async () => {
    const { root } = cluster.main;
    const pipe = await shell('bash', [
      '--norc',
      '-c',
      `${MAIN} --root ${root} history | head -1; echo $\{PIPESTATUS[0]}`,
    ]);
    assert.equal(pipe.stderr, '');
    assert.match(pipe.stdout, /(^|\n)0\n$/);
    const full = await shell('bash', ['--norc', '-c', `${MAIN} --root ${root} status > /dev/full; echo $?`]);
    assert.equal(full.stdout, '1\n');
    assert.match(full.stderr, /^xivo-xds-sync: standard output can't be written: no space left on device\n$/);
  });

  void it('a command that is ended with Ctrl-C harms no daemon', async () => {
    for (const args of [['verify'], ['sync'], ['status', '--watch']]) {
      const child = spawn(MAIN, ['--root', cluster.main.root, ...args], { stdio: 'ignore' });
      const ended = once(child, 'exit');
      await new Promise((resolve) => setTimeout(resolve, 150));
      child.kill('SIGINT');
      await ended;
    }
    assert.equal((await cluster.main.run(['status'])).code, 0);
    assert.ok(cluster.main.isRunning);
  });

  void it('does not wait for a daemon that hangs', async () => {
    process.kill(cluster.main.pid ?? 0, 'SIGSTOP');
    try {
      const began = Date.now();
      const ran = await cluster.main.run(['status']);
      assert.equal(ran.code, 3);
      assert.match(ran.stderr, /the controller does not answer/);
      assert.ok(Date.now() - began < 30_000);
    } finally {
      process.kill(cluster.main.pid ?? 0, 'SIGCONT');
    }
    await eventually('it is well again', async () => (await cluster.main.run(['status'])).code === 0);
  });
});
