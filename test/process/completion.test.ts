import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { agentProgram } from '../../agent/cli/program.ts';
import { controllerProgram } from '../../controller/cli/program.ts';
import { describeCommand } from '../../install/package/commands.ts';
import { bashCompletion } from '../../install/package/completion.ts';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';

describe('Completion in bash', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start();
    cluster.main.write('moh', 'default/a song.wav', 'a');
    cluster.main.write('moh', 'default/b.wav', 'b');
    await eventually('mds1 has it', () => cluster.one('mds1').read('moh', 'default/b.wav') !== undefined);
    await cluster.inSync();
    const folder = path.join(cluster.folder, 'bin');
    mkdirSync(folder);
    for (const host of [cluster.main, cluster.one('mds1')]) {
      const command = [...host.launcher, '--root', host.root].map((word) => `'${word}'`).join(' ');
      writeFileSync(path.join(folder, host.program), `#!/bin/sh\nexec ${command} "$@"\n`);
      chmodSync(path.join(folder, host.program), 0o755);
    }
  });
  after(() => cluster.end());

  /** What bash offers for the last of these words. */
  function offered(host: Host, ...words: string[]): string[] {
    const program = host.program === 'xivo-xds-sync' ? controllerProgram() : agentProgram();
    const script = `set -u
${bashCompletion(describeCommand(program))}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_${host.program.replaceAll('-', '_')}
printf '%s\\n' "\${COMPREPLY[@]}"`;
    // bash reads ~/.bashrc when its standard input is a socket, as a pipe of Node's is.
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', host.program, ...words], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${path.join(cluster.folder, 'bin')}:${process.env['PATH'] ?? ''}` },
    });
    assert.equal(stderr, '');
    // bash sorts what it shows.
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .toSorted();
  }

  it('knows commands and options', () => {
    const { main } = cluster;
    assert.deepEqual(offered(main, 'tra'), ['trash']);
    assert.deepEqual(offered(main, 'trash', ''), ['--help', 'list', 'restore']);
    assert.deepEqual(offered(main, 'status', '--ma'), ['--max-behind']);
    assert.ok(offered(main, '--root', '/x', 'mds', '').includes('upgrade'));
    assert.ok(!offered(main, '').includes('complete'));
  });

  it('knows MDS, directories, change sets and paths', () => {
    const { main } = cluster;
    assert.deepEqual(offered(main, 'sync', '--mds', ''), ['mds1', 'mds2']);
    assert.deepEqual(offered(main, 'diff', 'mds1'), ['mds1']);
    assert.deepEqual(offered(main, 'mds', 'remove', ''), ['mds1', 'mds2']);
    assert.deepEqual(offered(main, 'confirm', 'so'), ['sounds']);
    assert.deepEqual(offered(main, 'history', '--directory', 'dial'), ['dialplan']);
    assert.deepEqual(offered(main, 'why', 'moh/def'), ['moh/default/']);
    assert.deepEqual(offered(main, 'adopt', 'mds1', 'moh/default/'), [
      'moh/default/a\\ song.wav',
      'moh/default/b.wav',
    ]);
    assert.match(offered(main, 'rollback', '')[0] ?? '', /^\d{8}T\d{9}Z-[0-9a-f]{9}$/);
    assert.deepEqual(offered(main, 'why', '/etc/host').includes('/etc/hosts'), true);
    const mds = cluster.one('mds1');
    assert.deepEqual(offered(mds, 'why', 'moh/default/b'), ['moh/default/b.wav']);
    assert.deepEqual(offered(mds, 'history', '--directory', 'm'), ['moh']);
  });

  it('offers nothing, and is silent, where nothing answers', async () => {
    await cluster.main.stop();
    assert.deepEqual(offered(cluster.main, 'diff', ''), []);
    // These stand in the configuration.
    assert.deepEqual(offered(cluster.main, 'confirm', 'm'), ['moh']);
  });
});
