import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';
import { statusAnswer } from '../support/harness/statusShows.ts';

const FOLDER = 'var/lib/xivo-xds-sync';
const stateOf = (host: Host): string => path.join(host.root, FOLDER, 'state.sqlite');

/** Damaged databases that were set aside. */
function aside(host: Host): string[] {
  return readdirSync(path.join(host.root, FOLDER)).filter((name) =>
    /^state\.sqlite\.damaged-\d+$/.test(name),
  );
}

const DAMAGES: Readonly<Record<string, (file: string) => void>> = {
  'overwritten in the middle': (file) => {
    const fd = openSync(file, 'r+');
    writeSync(fd, Buffer.alloc(16_384, 0xa5), 0, 16_384, Math.floor(statSync(file).size / 8192) * 4096);
    closeSync(fd);
  },
  'replaced by text': (file) => writeFileSync(file, 'no database\n'.repeat(500)),
};

void describe('A state that is damaged', () => {
  let cluster: Cluster;
  let main: Host;
  let mds: Mds;

  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
    ({ main } = cluster);
    mds = cluster.one('mds1');
    for (let i = 0; i < 300; i++) main.write('sounds', `s${i}.wav`, `sound ${i}`);
    for (let i = 0; i < 12; i++) main.write('recordings', `r${i}.wav`, `recording ${i}`);
    mds.write('recordings', 'mine.wav', 'recorded here');
    mds.write('sounds', 'local.wav', 'local');
    await cluster.startMain();
    mds.start();
    await eventually('all is delivered', () => {
      return existsSync(mds.at('sounds', 's299.wav')) && existsSync(main.at('recordings', 'mine.wav'));
    });
    await cluster.inSync();
  });
  after(() => cluster.end());

  /** Waits long: others may keep this machine busy. On a timeout, the output of both sides is shown. */
  async function within(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    await eventually(what, holds, 120_000).catch((error: Error) => {
      assert.fail(
        `${error.message}\n--- Main\n${main.log.slice(-4_000)}\n--- mds1\n${mds.log.slice(-4_000)}`,
      );
    });
  }

  async function converges(name: string): Promise<void> {
    main.write('sounds', name, name);
    await within('a change on Main arrives', () => mds.read('sounds', name) === name);
    mds.write('recordings', name, name);
    await within('a recording arrives', () => main.read('recordings', name) === name);
    await cluster.inSync(60_000);
    assert.equal(mds.read('sounds', 'local.wav'), 'local');
    assert.equal(main.read('recordings', 'mine.wav'), 'recorded here');
    for (const host of [main, mds]) {
      assert.equal(readdirSync(host.at('sounds')).filter((each) => /^s\d+\.wav$/.test(each)).length, 300);
      assert.doesNotMatch(host.log, /uncaughtException|unhandledRejection/);
    }
  }

  async function saysSo(host: Host): Promise<void> {
    assert.match(host.log, /the state was damaged; a new one is built/);
    const { stdout } = await host.run(['status', '--json']);
    assert.match(stdout, /the state was damaged: it is kept as .*damaged-/);
    for (const name of aside(host)) unlinkSync(path.join(host.root, FOLDER, name));
  }

  for (const side of ['main', 'agent'] as const) {
    for (const [how, damage] of Object.entries(DAMAGES)) {
      void it(`of the ${side}, ${how} while it is stopped, is set aside`, async () => {
        const host = side === 'main' ? main : mds;
        await host.stop();
        damage(stateOf(host));
        if (side === 'main') await cluster.startMain();
        else mds.start();
        await within('it is set aside', () => aside(host).length === 1);
        await converges(`stopped-${side}-${how.length}.wav`);
        await saysSo(host);
      });

      void it(`of the ${side}, ${how} while it runs, is set aside`, async () => {
        const host = side === 'main' ? main : mds;
        const { pid } = host;
        damage(stateOf(host));
        await within('it is set aside', () => aside(host).length === 1);
        await within('it answers again', async () => (await statusAnswer(host)).startsWith('{'));
        await converges(`running-${side}-${how.length}.wav`);
        assert.ok(host.isRunning && host.pid === pid);
        await saysSo(host);
      });
    }
  }
});
