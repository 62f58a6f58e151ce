import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Cluster } from '../support/harness/cluster.ts';
import type { Host } from '../support/harness/host.ts';
import { withShortSocketPath } from '#host/control/socketPath.ts';

const HANG_UPS = 200;

void describe('A command that is broken off', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ mds: ['mds1'] });
    // An answer that does not fit into what the socket holds is still being written when the caller is gone.
    for (let i = 0; i < 1_500; i++) cluster.one('mds1').write('moh', `${'local'.repeat(40)}${i}.wav`, 'x');
    await cluster.inSync();
  });
  after(() => cluster.end());

  /** Asks and hangs up, sooner or later: before the daemon has read, while it works, while it answers. */
  async function hangUp(socketPath: string, request: string, turns: number): Promise<void> {
    const socket = await withShortSocketPath(socketPath, async (short) => {
      const connecting = net.connect(short);
      await once(connecting, 'connect');
      return connecting;
    });
    socket.on('error', () => undefined);
    socket.write(request);
    if (turns < 0) await once(socket, 'readable');
    for (let i = 0; i < turns; i++) await turn();
    socket.destroy();
  }

  const daemons: readonly [string, (c: Cluster) => Host, string][] = [
    ['Main', ({ main }) => main, 'controller.sock'],
    ['the agent', (c) => c.one('mds1'), 'agent.sock'],
  ];
  for (const [name, hostOf, socket] of daemons) {
    void it(`does not end ${name}, whenever its caller hangs up`, async () => {
      const host = hostOf(cluster);
      const file = path.join(host.root, 'run/xivo-xds-sync', socket);
      const requests = [
        '{"command":"status","args":{}}\n',
        '{"command":"plan","args":{}}\n',
        '{"command":"sta',
        '\u0000\n',
      ];
      for (let i = 0; i < HANG_UPS; i++) {
        const request = requests[i % requests.length] ?? '';
        await hangUp(file, request, request.includes('status') && i % 3 === 0 ? -1 : i % 40);
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
