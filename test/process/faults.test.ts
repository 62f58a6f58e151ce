import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';

const CONFIG = `settle: 100ms
reserve: 1MiB
directories:
  - { name: dialplan }
  - { name: moh }
  - { name: sounds }
  - { name: recordings, settle: 100ms }
guard: { percent: 100, files: 1000000 }
`;
const MIB = 1024 * 1024;
const canMount = process.getuid?.() === 0;
const WHY_NOT = 'only root may mount';

/** A small file system of its own for one directory of a host. */
class SmallDisk {
  readonly #folder: string;

  constructor(host: Host, directory: 'moh' | 'recordings', size: string) {
    this.#folder = host.at(directory);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'xds-test', this.#folder]);
  }

  remount(options: string): void {
    execFileSync('mount', ['-o', `remount,${options}`, this.#folder]);
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.#folder]);
  }
}

/** Every error that status names, a line each. */
async function errors(cluster: Cluster): Promise<string> {
  const { mds } = await cluster.status();
  return mds
    .flatMap((each) => each.errors.map(({ path, message }) => `${each.name} ${path}: ${message}`))
    .join('\n');
}

async function reportedAs(cluster: Cluster, wanted: RegExp): Promise<void> {
  let last = '';
  await eventually(`status says ${wanted.source}`, async () =>
    wanted.test((last = await errors(cluster))),
  ).catch((error: Error) =>
    assert.fail(`${error.message}\n${last}\n${cluster.mds.map(({ log }) => log).join('\n')}`),
  );
}

/** What is visible, beside the program's own area: only whole files of these sizes may be. */
function assertWhole(host: Host, directory: 'moh' | 'recordings', sizes: ReadonlyMap<string, number>): void {
  for (const entry of readdirSync(host.at(directory), { withFileTypes: true })) {
    if (entry.name === '.xivo-xds-sync') continue;
    const size = execFileSync('stat', ['-c', '%s', path.join(host.at(directory), entry.name)])
      .toString()
      .trim();
    assert.equal(Number(size), sizes.get(entry.name), `${host.name}: ${entry.name}`);
  }
}

void describe('A fault of the disk, and a limit of open files', { skip: canMount ? false : WHY_NOT }, () => {
  let cluster: Cluster;
  let disk: SmallDisk;
  let mainDisk: SmallDisk;
  before(async () => {
    cluster = await Cluster.make({ enrolled: true, config: CONFIG });
    disk = new SmallDisk(cluster.one('mds1'), 'moh', '6m');
    mainDisk = new SmallDisk(cluster.main, 'recordings', '6m');
    await cluster.startMain();
    for (const mds of cluster.mds) {
      appendFileSync(path.join(mds.root, 'etc/xivo-xds-sync/agent.yml'), 'reserve: 1MiB\n');
      mds.start();
    }
    await cluster.inSync();
  });
  after(async () => {
    for (const each of [disk, mainDisk]) each?.unmount();
    await cluster?.end();
  });

  const sizes = new Map([
    ['fits.wav', 2 * MIB],
    ['too-large.wav', 12 * MIB],
    ['small.wav', 1_000],
  ]);

  void it('a full disk on an MDS shows nothing half-written, is named with the remedy, and the rest continues', async () => {
    cluster.main.write('moh', 'fits.wav', Buffer.alloc(2 * MIB, 1));
    await eventually('it is there', () => existsSync(cluster.one('mds1').at('moh', 'fits.wav')));
    cluster.main.write('moh', 'too-large.wav', Buffer.alloc(12 * MIB, 2));
    await reportedAs(
      cluster,
      /mds1 moh\/too-large\.wav: no room in \S*\/moh: free \d+ MiB there \(12 MiB needed, /,
    );
    assertWhole(cluster.one('mds1'), 'moh', sizes);
    cluster.main.write('sounds', 'other.wav', 'another directory');
    await eventually('another directory goes on', () =>
      existsSync(cluster.one('mds1').at('sounds', 'other.wav')),
    );
    await eventually('another MDS has it', () => existsSync(cluster.one('mds2').at('moh', 'too-large.wav')));
    assert.equal((await cluster.main.run(['status'])).code, 1);
  });

  void it('recovers without help when there is room', async () => {
    disk.remount('size=64m');
    await cluster.inSync(90_000);
    assertWhole(cluster.one('mds1'), 'moh', sizes);
    assert.equal((await cluster.main.run(['status'])).code, 0);
  });

  void it('a full disk on Main refuses a recording whole, names it, and takes it when there is room', async () => {
    cluster.one('mds2').write('recordings', 'call.wav', Buffer.alloc(12 * MIB, 3));
    cluster.one('mds2').write('recordings', 'short.wav', Buffer.alloc(1_000, 3));
    await eventually('the short one is on Main', () =>
      existsSync(cluster.main.at('recordings', 'short.wav')),
    );
    await reportedAs(
      cluster,
      /mds2 recordings\/call\.wav: on Main: no room in \S*\/recordings: free \d+ MiB there \(12 MiB needed, /,
    );
    assert.equal(existsSync(cluster.main.at('recordings', 'call.wav')), false);
    mainDisk.remount('size=64m');
    await eventually(
      'it is everywhere',
      () => existsSync(cluster.one('mds1').at('recordings', 'call.wav')),
      90_000,
    );
    await cluster.inSync(90_000);
  });

  void it('a disk that became read-only is named, and recovers', async () => {
    disk.remount('ro');
    cluster.main.write('moh', 'small.wav', Buffer.alloc(1_000, 4));
    await reportedAs(cluster, /mds1 moh\/small\.wav: .*EROFS: .*mount it for writing/);
    cluster.main.write('sounds', 'third.wav', 'goes on');
    await eventually('another directory goes on', () =>
      existsSync(cluster.one('mds1').at('sounds', 'third.wav')),
    );
    disk.remount('rw');
    await cluster.inSync(90_000);
    assertWhole(cluster.one('mds1'), 'moh', sizes);
  });

  void it('a file that can not be replaced is named with its error, and the rest continues', async (t) => {
    const mds = cluster.one('mds1');
    for (const name of ['fixed.wav', 'free.wav']) cluster.main.write('sounds', name, 'one');
    await eventually('they are there', () => existsSync(mds.at('sounds', 'free.wav')));
    await cluster.inSync();
    try {
      execFileSync('chattr', ['+i', mds.at('sounds', 'fixed.wav')]);
    } catch {
      return t.skip('this file system has no immutable files');
    }
    try {
      for (const name of ['fixed.wav', 'free.wav']) cluster.main.write('sounds', name, 'two');
      await eventually('the other one is replaced', () => mds.read('sounds', 'free.wav') === 'two');
      await reportedAs(cluster, /mds1 sounds\/fixed\.wav: EPERM: .*immutable/);
      assert.equal(mds.read('sounds', 'fixed.wav'), 'one');
    } finally {
      execFileSync('chattr', ['-i', mds.at('sounds', 'fixed.wav')]);
    }
    await eventually('it is replaced, too', () => mds.read('sounds', 'fixed.wav') === 'two', 90_000);
    await cluster.inSync(90_000);
  });

  void it('an agent that may open few files shows nothing half-written, and catches up when it may open more', async () => {
    const mds = cluster.one('mds1');
    const open = readdirSync(`/proc/${mds.pid}/fd`).length;
    const limit = (files: number | string): void => {
      execFileSync('prlimit', ['--pid', String(mds.pid), `--nofile=${files}:`]);
    };
    limit(open + 3);
    for (let i = 0; i < 40; i++) cluster.main.write('moh', `${i % 8}/${i}.wav`, `music ${i}`);
    await sleep(3_000);
    assert.ok(mds.isRunning, `the agent ended:\n${mds.log}`);
    for (let i = 0; i < 40; i++) {
      const content = mds.read('moh', `${i % 8}/${i}.wav`);
      assert.ok(content === undefined || content === `music ${i}`, `${i}: ${content}`);
    }
    limit(4_096);
    await cluster.inSync(90_000);
    for (let i = 0; i < 40; i++) assert.equal(mds.read('moh', `${i % 8}/${i}.wav`), `music ${i}`);
  });

  void it('behaves the same when it is Main that may open few files', async () => {
    const { main } = cluster;
    const open = readdirSync(`/proc/${main.pid}/fd`).length;
    const limit = (files: number): void => {
      execFileSync('prlimit', ['--pid', String(main.pid), `--nofile=${files}:`]);
    };
    limit(open + 1);
    main.write('moh', '0/later.wav', 'later');
    unlinkSync(main.at('moh', '0/0.wav'));
    rmSync(main.at('moh', '7'), { recursive: true });
    await sleep(3_000);
    assert.ok(main.isRunning, `Main ended:\n${main.log}`);
    // What Main could not read is no removal.
    assert.equal(cluster.one('mds1').read('moh', '1/1.wav'), 'music 1');
    limit(4_096);
    await eventually('it caught up', () => existsSync(cluster.one('mds1').at('moh', '0/later.wav')), 60_000);
    // A removal counts once it has settled: until then both sides may be in sync without it.
    await eventually(
      'the removal is noticed',
      () => !existsSync(cluster.one('mds1').at('moh', '7/7.wav')),
      60_000,
    );
    await cluster.inSync(90_000);
    assert.equal(cluster.one('mds1').read('moh', '1/1.wav'), 'music 1');
  });
});
