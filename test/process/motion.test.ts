import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';
import { treeOf } from '../support/harness/tree.ts';

const SETTLE = 200;
const CONFIG = `settle: ${SETTLE}ms
reconcile: { every: 15m }
directories:
  - { name: dialplan }
  - { name: moh }
  - { name: sounds }
  - { name: recordings, settle: ${SETTLE}ms }
guard: { percent: 100, files: 1000000 }
`;
/** Files of the burst. What overflows the kernel's queue of 16,384 events is the churn beside it. */
const BURST = 500;
const BURST_FOLDERS = 50;

/** Looks at a file again and again while something is done, and gives every size it had. */
async function sizesDuring(file: string, work: () => Promise<void>): Promise<Set<number>> {
  const sizes = new Set<number>();
  const timer = setInterval(() => {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat !== undefined) sizes.add(stat.size);
  }, 5);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return sizes;
}

void describe('Files in motion', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ config: CONFIG });
  });
  after(() => cluster.end());

  async function same(directory: 'moh' | 'sounds' | 'recordings', limit = 20_000): Promise<void> {
    const skip = { skip: ['recordings'] };
    const different = (): Host | undefined => {
      const expected = treeOf(cluster.main.at(directory), skip).join('\n');
      return cluster.mds.find((mds) => treeOf(mds.at(directory), skip).join('\n') !== expected);
    };
    await eventually(`${directory} is the same everywhere`, () => different() === undefined, limit).catch(
      (error: Error) => {
        const expected = treeOf(cluster.main.at(directory), skip);
        const mds = different();
        const here = mds === undefined ? [] : treeOf(mds.at(directory), skip);
        const missing = expected.filter((line) => !here.includes(line)).slice(0, 10);
        const more = here.filter((line) => !expected.includes(line)).slice(0, 10);
        assert.fail(`${error.message}\n${mds?.name} lacks ${missing.join('\n')}\nhas ${more.join('\n')}`);
      },
    );
  }

  void it('a recording that is appended to for seconds travels once it is whole', async () => {
    const mds1 = cluster.one('mds1');
    const file = mds1.at('recordings', 'long.wav');
    const sizes = await sizesDuring(cluster.main.at('recordings', 'long.wav'), async () => {
      // As Asterisk does it: one handle, open for all the call, with pauses longer than the settle time.
      const fd = openSync(file, 'w');
      for (let i = 0; i < 12; i++) {
        writeSync(fd, Buffer.alloc(50_000, i));
        await sleep(i % 3 === 0 ? SETTLE * 4 : SETTLE);
      }
      closeSync(fd);
      await same('recordings');
    });
    assert.deepEqual([...sizes], [600_000]);
  });

  void it('a file that is held open for writing and not written waits for its end', async () => {
    const fd = openSync(cluster.main.at('sounds', 'open.wav'), 'w');
    writeSync(fd, 'first half');
    await sleep(SETTLE * 8);
    assert.equal(existsSync(cluster.one('mds1').at('sounds', 'open.wav')), false);
    writeSync(fd, ', second half');
    closeSync(fd);
    await same('sounds');
    assert.equal(cluster.one('mds1').read('sounds', 'open.wav'), 'first half, second half');
  });

  void it('a file that is appended to in opened and closed pieces is never torn', async () => {
    const file = cluster.one('mds2').at('recordings', 'pieces.txt');
    const wholes = new Set<number>();
    const sizes = await sizesDuring(cluster.main.at('recordings', 'pieces.txt'), async () => {
      for (let i = 0; i < 30; i++) {
        appendFileSync(file, `piece number ${i}\n`.repeat(100));
        wholes.add(statSync(file).size);
        await sleep((i * 37) % (SETTLE * 2));
      }
      await same('recordings');
    });
    for (const size of sizes) assert.ok(wholes.has(size), `${size} bytes were never whole`);
  });

  void it('a large file that is rewritten in place while it is read is never shipped torn', async () => {
    const file = cluster.main.at('sounds', 'rewritten.bin');
    // More than what travels in one piece (8 MiB).
    const size = 12 * 1024 * 1024;
    const versions = new Set<string>();
    const seen = new Set<string>();
    const there = cluster.one('mds1').at('sounds', 'rewritten.bin');
    for (let version = 1; version <= 8; version++) {
      const fd = openSync(file, version === 1 ? 'w' : 'r+');
      for (let at = 0; at < size; at += size / 8) {
        writeSync(fd, Buffer.alloc(size / 8, version), 0, size / 8, at);
        await sleep(10);
      }
      closeSync(fd);
      versions.add(String(version).repeat(3));
      await sleep(SETTLE + version * 40);
      if (!existsSync(there)) continue;
      const content = readFileSync(there);
      seen.add(`${content[0]}${content[size / 2]}${content[size - 1]}`);
    }
    await same('sounds', 60_000);
    for (const each of seen) assert.ok(versions.has(each), `a mixture of versions: ${each}`);
    // Each comparison of the next tests would read it on every host.
    unlinkSync(file);
    await same('sounds');
  });

  void it('a file whose bytes change while its size and mtime are put back is seen', async () => {
    cluster.main.write('sounds', 'sly.wav', 'version one');
    await same('sounds');
    const file = cluster.main.at('sounds', 'sly.wav');
    const { atime, mtime } = statSync(file);
    writeFileSync(file, 'version two');
    utimesSync(file, atime, mtime);
    await eventually('the other bytes are there', () =>
      cluster.mds.every((mds) => mds.read('sounds', 'sly.wav') === 'version two'),
    );
  });

  void it('a folder that is renamed over another takes its place', async () => {
    for (let i = 0; i < 12; i++) cluster.main.write('sounds', `new/${i}.wav`, `new ${i}`);
    cluster.main.write('sounds', 'old/deep/only-old.wav', 'old');
    await same('sounds');
    rmSync(cluster.main.at('sounds', 'old'), { recursive: true });
    mkdirSync(cluster.main.at('sounds', 'old'));
    renameSync(cluster.main.at('sounds', 'new'), cluster.main.at('sounds', 'old'));
    await same('sounds');
    assert.equal(cluster.one('mds1').read('sounds', 'old/3.wav'), 'new 3');
    assert.equal(existsSync(cluster.one('mds1').at('sounds', 'new')), false);
  });

  void it('two folders that change places keep their content', async () => {
    for (const name of ['left', 'right'])
      for (let i = 0; i < 5; i++) cluster.main.write('sounds', `${name}/${i}.wav`, `${name} ${i}`);
    await same('sounds');
    renameSync(cluster.main.at('sounds', 'left'), cluster.main.at('sounds', 'between'));
    renameSync(cluster.main.at('sounds', 'right'), cluster.main.at('sounds', 'left'));
    renameSync(cluster.main.at('sounds', 'between'), cluster.main.at('sounds', 'right'));
    await same('sounds');
    assert.equal(cluster.one('mds2').read('sounds', 'left/2.wav'), 'right 2');
  });

  void it('a file that becomes a folder and a file again follows', async () => {
    for (const [directory, host] of [
      ['sounds', cluster.main],
      ['recordings', cluster.one('mds1')],
    ] as const) {
      host.write(directory, 'both', 'a file');
      await same(directory);
      unlinkSync(host.at(directory, 'both'));
      host.write(directory, 'both/inside.wav', 'in the folder');
      await same(directory);
      rmSync(host.at(directory, 'both'), { recursive: true });
      host.write(directory, 'both', 'a file again');
      await same(directory);
      // What an MDS removes comes back from Main, and then a folder stands there: only Main's users decide alone.
      if (host === cluster.main)
        await eventually('it is a file everywhere', () =>
          cluster.mds.every((mds) => mds.read(directory, 'both') === 'a file again'),
        );
    }
  });

  void it('files that come into a folder right after it was made are not missed', async () => {
    for (let i = 0; i < 40; i++) {
      const folder = `fresh/${i}/a/b`;
      mkdirSync(cluster.main.at('sounds', folder), { recursive: true });
      await sleep(i * 4);
      cluster.main.write('sounds', `${folder}/late.wav`, `late ${i}`);
    }
    await same('sounds');
  });

  void it('a file that shrinks and grows in quick turns ends as it is', async () => {
    const fd = openSync(cluster.main.at('moh', 'breathing.wav'), 'w');
    for (let i = 0; i < 40; i++) {
      ftruncateSync(fd, 0);
      writeSync(fd, Buffer.alloc(1 + ((i * 7_919) % 40_000), i), 0, undefined, 0);
      await sleep(15);
    }
    closeSync(fd);
    await same('moh');
  });

  void it('a burst that overflows the queue of events converges without the reconcile', async (t) => {
    const { main } = cluster;
    const { pid } = main;
    assert.ok(pid !== undefined);
    process.kill(pid, 'SIGSTOP');
    try {
      for (let folder = 0; folder < BURST_FOLDERS; folder++) {
        mkdirSync(main.at('moh', `burst/${folder}`), { recursive: true });
        for (let i = 0; i < BURST / BURST_FOLDERS; i++)
          writeFileSync(main.at('moh', `burst/${folder}/${i}`), `${folder} ${i}`);
      }
      // A known folder changes as well: what happens in it is at the end of the queue, or not in it.
      for (let i = 0; i < 20_000; i++) {
        writeFileSync(main.at('moh', 'churn'), String(i));
        unlinkSync(main.at('moh', 'churn'));
      }
      main.write('moh', 'last.wav', 'the last one');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const startedAt = performance.now();
    const count = (host: Host): number =>
      existsSync(host.at('moh', 'burst'))
        ? readdirSync(host.at('moh', 'burst'), { recursive: true, withFileTypes: true }).filter((e) =>
            e.isFile(),
          ).length
        : 0;
    await eventually(
      'everything is everywhere',
      async () => {
        await sleep(500);
        return cluster.mds.every((mds) => count(mds) === BURST && existsSync(mds.at('moh', 'last.wav')));
      },
      180_000,
    ).catch((error: Error) =>
      assert.fail(`${error.message}: ${cluster.mds.map((mds) => count(mds)).join(', ')} of ${BURST}`),
    );
    t.diagnostic(`${BURST} files were on both MDS after ${Math.round(performance.now() - startedAt)} ms`);
    await cluster.inSync(60_000);
    await same('moh', 60_000);
  });

  void it('verifies to the last byte after all this', async () => {
    const ran = await cluster.main.run(['verify']);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  });
});
