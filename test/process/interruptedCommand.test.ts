import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';
import { controlSocketOf, hangUp } from '../support/wire/hangUp.ts';

const HANG_UPS = 200;
const LOCAL = 1_500;

void describe('A command that is broken off', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ mds: ['mds1'] });
    // An answer that does not fit into what the socket holds is still being written when the caller is gone.
    for (let i = 0; i < LOCAL; i++) cluster.one('mds1').write('moh', `${'local'.repeat(40)}${i}.wav`, 'x');
    await eventually('Main knows of them', async () => {
      const { directories } = await cluster.statusOf('mds1');
      return directories.some(({ localOnly }) => localOnly === LOCAL);
    });
  });
  after(() => cluster.end());

  const daemons: readonly [string, (c: Cluster) => Host][] = [
    ['Main', ({ main }) => main],
    ['the agent', (c) => c.one('mds1')],
  ];
  for (const [name, hostOf] of daemons) {
    void it(`does not end ${name}, whenever its caller hangs up`, async () => {
      const host = hostOf(cluster);
      const file = controlSocketOf(host);
      const requests = [
        '{"command":"status","args":{}}\n',
        '{"command":"plan","args":{}}\n',
        '{"command":"sta',
        '\u0000\n',
      ];
      for (let i = 0; i < HANG_UPS; i++) {
        const request = requests[i % requests.length] ?? '';
        await hangUp(file, request, request.includes('status') && i % 3 === 0 ? 'answered' : i % 40);
      }
      assert.ok(host.isRunning, host.log.slice(-2_000));
      assert.equal((await host.run(['status', '--json'])).code, 0);
    });
  }

  void it('by Ctrl-C does not end Main', async () => {
    const { main } = cluster;
    for (const args of [['verify'], ['sync'], ['-n'], ['status', '--watch']]) {
      const [program = '', ...before] = main.launcher;
      const child = spawn(program, [...before, '--root', main.root, ...args], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      if (args.includes('--watch')) await once(child.stdout, 'data');
      else for (let i = 0; i < 200; i++) await turn();
      child.kill('SIGINT');
      await once(child, 'exit');
    }
    assert.ok(main.isRunning, main.log.slice(-2_000));
    await cluster.inSync();
  });
});
