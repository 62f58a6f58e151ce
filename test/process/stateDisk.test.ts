import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';
import { statusShows } from '../support/harness/statusShows.ts';

/** A reconcile every few seconds: what it does by itself must bear a sick disk, too. */
const CONFIG = `settle: 100ms
reconcile: { every: 2s }
directories:
  - { name: dialplan }
  - { name: moh }
  - { name: sounds }
  - { name: recordings, settle: 100ms }
guard: { percent: 100, files: 1000000 }
`;
const canMount = process.getuid?.() === 0;
const WHY_NOT = 'only root may mount';
const STATE = 'var/lib/xivo-xds-sync';
const FILES = 60;
/** Long enough for every timer of the daemons to have come by. */
const A_WHILE = 8_000;
/** The state is tried again every 5 s, and a file that failed after a minute at most. */
const HEALED_WITHIN = 90_000;
const FULL = /the state \(\S*state\.sqlite\) can't be written: ENOSPC: no room: free some on that disk/;
const READ_ONLY = /the state \(\S*state\.sqlite\) can't be written: EROFS: .*mount it for writing/;

/** A small file system of its own for a host's state, with what was there. The host's daemon must not run. */
class StateDisk {
  readonly #folder: string;
  readonly #filling: string;

  constructor(host: Host) {
    this.#folder = path.join(host.root, STATE);
    this.#filling = path.join(this.#folder, 'filling');
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const beside = `${this.#folder}.before`;
    execFileSync('cp', ['-a', this.#folder, beside]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m,mode=700', 'xds-test', this.#folder]);
    execFileSync('cp', ['-a', `${beside}/.`, this.#folder]);
    rmSync(beside, { recursive: true });
  }

  /** Takes all the room that there is, to the last byte. */
  fill(): void {
    const fd = openSync(this.#filling, 'a');
    try {
      for (const size of [65_536, 4_096, 1]) {
        try {
          for (;;) writeSync(fd, Buffer.alloc(size));
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
        }
      }
    } finally {
      closeSync(fd);
    }
  }

  empty(): void {
    rmSync(this.#filling);
  }

  remount(options: 'ro' | 'rw'): void {
    execFileSync('mount', ['-o', `remount,${options}`, this.#folder]);
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.#folder]);
  }
}

function assertRunning(cluster: Cluster): void {
  for (const host of [cluster.main, ...cluster.mds])
    assert.ok(host.isRunning, `${host.name} ended:\n${host.log.slice(-4_000)}`);
}

/** Both ways of asking, of a program whose answer must be that something is wrong. */
async function tells(host: Host, wanted: RegExp): Promise<void> {
  for (const options of [[], ['--json']]) await statusShows(host, wanted, { hint: wanted, code: 1, options });
}

/** Much at once, so that the state has to grow. */
function change(cluster: Cluster, round: string): void {
  for (let i = 0; i < FILES; i++)
    cluster.main.write('moh', `${round}/${'long'.repeat(40)}-${i}.wav`, `${round} ${i}`);
  cluster.main.write('dialplan', `${round}.conf`, `[${round}]\nexten => 1,1,NoOp(${round})\n`);
  for (const mds of cluster.mds) mds.write('recordings', `${round}-${mds.name}.wav`, `${round} ${mds.name}`);
}

function assertEverywhere(cluster: Cluster, round: string): void {
  for (const host of [cluster.main, ...cluster.mds]) {
    for (let i = 0; i < FILES; i++)
      assert.equal(host.read('moh', `${round}/${'long'.repeat(40)}-${i}.wav`), `${round} ${i}`);
    for (const mds of cluster.mds)
      assert.equal(host.read('recordings', `${round}-${mds.name}.wav`), `${round} ${mds.name}`);
    assert.match(host.read('dialplan', `${round}.conf`) ?? '', /NoOp/);
  }
}

/** {@link change}, and it is everywhere. */
async function changeEverywhere(cluster: Cluster, round: string): Promise<void> {
  change(cluster, round);
  let last: unknown;
  const isEverywhere = (): boolean => {
    try {
      assertEverywhere(cluster, round);
      return true;
    } catch (error) {
      last = error;
      return false;
    }
  };
  await eventually(`all of "${round}" is everywhere`, isEverywhere, HEALED_WITHIN).catch((error: Error) => {
    throw new Error(`${error.message}: ${String(last)}`, { cause: error });
  });
  await cluster.inSync(HEALED_WITHIN);
}

async function healed(cluster: Cluster): Promise<void> {
  await statusShows(cluster.main, /^0: /, { hint: /"causes":\[\]/, limit: HEALED_WITHIN }).catch(
    async (error: Error) =>
      assert.fail(
        `${error.message}\n${(await cluster.main.run(['status'])).stdout}\n${cluster.mds.map(({ log }) => log.slice(-3_000)).join('\n---\n')}`,
      ),
  );
  await cluster.inSync();
  for (const mds of cluster.mds) {
    const own = await mds.run(['status']);
    assert.equal(own.code, 0, own.stdout);
  }
  const verified = await cluster.main.run(['verify']);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
}

void describe('A state that can not be written', { skip: canMount ? false : WHY_NOT }, () => {
  let cluster: Cluster;
  let mds: Mds;
  let disk: StateDisk;
  let mainDisk: StateDisk;
  before(async () => {
    cluster = await Cluster.make({ enrolled: true, config: CONFIG });
    mds = cluster.one('mds1');
    mainDisk = new StateDisk(cluster.main);
    disk = new StateDisk(mds);
    await cluster.startMain();
    for (const each of cluster.mds) each.start();
    await changeEverywhere(cluster, 'before');
  });
  after(async () => {
    for (const each of [disk, mainDisk]) each?.unmount();
    await cluster?.end();
  });

  void it('on an MDS, since its disk is full, ends nothing, is reported with the remedy, and the rest continues', async () => {
    disk.fill();
    change(cluster, 'full-mds');
    await tells(mds, FULL);
    await tells(cluster.main, FULL);
    cluster.main.write('sounds', 'other.wav', 'for the other MDS');
    await eventually('another MDS goes on', () => existsSync(cluster.one('mds2').at('sounds', 'other.wav')));
    await sleep(A_WHILE);
    assertRunning(cluster);
  });

  void it('makes an agent that is started meanwhile wait, and recovers without help', async () => {
    await mds.kill();
    mds.start();
    await tells(mds, FULL);
    await mds.stop();
    mds.start();
    await tells(mds, FULL);
    await sleep(A_WHILE);
    assertRunning(cluster);
    disk.empty();
    await healed(cluster);
    assertEverywhere(cluster, 'full-mds');
  });

  void it('recovers without a restart, too, and Asterisk is reloaded for what came meanwhile', async () => {
    disk.fill();
    change(cluster, 'again');
    await tells(mds, FULL);
    await sleep(A_WHILE);
    const { length } = mds.asterisk.reloads;
    disk.empty();
    await healed(cluster);
    assertRunning(cluster);
    assertEverywhere(cluster, 'again');
    assert.ok(mds.asterisk.reloads.length > length, mds.log.slice(-3_000));
  });

  void it('on Main, since its disk is full, ends nothing, is reported with the remedy, and loses nothing', async () => {
    mainDisk.fill();
    change(cluster, 'full-main');
    await tells(cluster.main, FULL);
    const token = await cluster.main.run(['mds', 'add', 'mds3']);
    assert.equal(token.code, 1, token.stdout);
    assert.match(token.stderr, /registry\.json can't be written: ENOSPC: no room: free some/);
    await cluster.main.run(['pause', '--for', '1s']);
    // What an MDS does of itself is reported to Main, and recorded in its history.
    cluster.one('mds2').write('moh', `before/${'long'.repeat(40)}-0.wav`, 'drift');
    await mds.kill();
    mds.start();
    await sleep(A_WHILE);
    assertRunning(cluster);
    await tells(cluster.main, FULL);
  });

  void it('recovers there, and what was done meanwhile is in the history', async () => {
    mainDisk.empty();
    await healed(cluster);
    assertRunning(cluster);
    assertEverywhere(cluster, 'before');
    assertEverywhere(cluster, 'full-main');
    await eventually('the drift that was put right is in the history', async () => {
      const { entries } = await cluster.ask('history', { mds: 'mds2', limit: 5_000 });
      return entries.some(({ detail }) => /^before\/.*-0\.wav: /.test(detail));
    });
    assert.match(cluster.main.log, /the state can be written again/);
  });

  void it('since its disk is read-only at a start, is waited for', async () => {
    for (const [host, its] of [
      [mds, disk],
      [cluster.main, mainDisk],
    ] as const) {
      await host.stop();
      its.remount('ro');
      host.start();
      await tells(host, READ_ONLY);
      await sleep(A_WHILE);
      assert.ok(host.isRunning, `${host.name} ended:\n${host.log.slice(-4_000)}`);
      its.remount('rw');
    }
    await healed(cluster);
    await changeEverywhere(cluster, 'after');
    await healed(cluster);
  });
});
