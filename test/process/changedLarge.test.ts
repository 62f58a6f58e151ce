import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';
import { sameBytes } from '../support/unit/sameBytes.ts';

const MIB = 1024 * 1024;
/** Enough for a second reading to stand out from what is read beside the file. */
const WHOLE = 24;
const SIZE = WHOLE * MIB;

/** MiB that a host's program has read so far, or written, from and to files and connections. */
function mib({ pid }: Host, which: 'rchar' | 'wchar'): number {
  const [, bytes] = new RegExp(`${which}: (\\d+)`).exec(readFileSync(`/proc/${pid}/io`, 'utf8')) ?? [];
  return Number(bytes) / MIB;
}

const mibRead = (host: Host): number => mib(host, 'rchar');

type Change = { readonly main: number; readonly mds: number; readonly sent: number; readonly asked: number };

void describe('A large file that changes again and again', () => {
  let cluster: Cluster;
  before(async () => {
    // Copies of older versions are read and written, too, where they are kept.
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'], config: 'trash: { budget: 0 }\n' });
    cluster.main.write('sounds', 'found.wav', sameBytes('found', SIZE));
    await cluster.startMain();
    cluster.one('mds1').start();
    await cluster.inSync(60_000);
  });
  after(() => cluster.end());

  /**
   * Changes the file, waits until the MDS has it, and counts what each side read for that and, beside the file itself,
   * wrote, which is what it sent.
   */
  async function afterChange(change: (file: string) => void, name = 'large.wav'): Promise<Change> {
    const mds1 = cluster.one('mds1');
    const file = cluster.main.at('sounds', name);
    const there = mds1.at('sounds', name);
    const looked = (): Change => ({
      main: mibRead(cluster.main),
      mds: mibRead(mds1),
      sent: mib(cluster.main, 'wchar'),
      asked: mib(mds1, 'wchar'),
    });
    const before = looked();
    change(file);
    const same = (): boolean => {
      const [here, other] = [file, there].map((each) =>
        statSync(each, { bigint: true, throwIfNoEntry: false }),
      );
      return here !== undefined && here.size === other?.size && here.mtimeNs === other.mtimeNs;
    };
    await eventually('the MDS has it', same, 120_000);
    assert.ok(readFileSync(file).equals(readFileSync(there)));
    await cluster.inSync(60_000);
    const now = looked();
    return {
      main: now.main - before.main,
      mds: now.mds - before.mds,
      sent: now.sent - before.sent,
      asked: now.asked - before.asked - statSync(file).size / MIB,
    };
  }

  const putInFront = (file: string): void => {
    // Outside the directory, or Main might find and read it before it has its name.
    const made = path.join(cluster.main.root, 'made.wav');
    const old = readFileSync(file);
    writeFileSync(made, Buffer.concat([sameBytes(`in front of ${old.length}`, 1024), old]));
    renameSync(made, file);
  };

  const changeInside = (at: number) => (file: string) => {
    const fd = openSync(file, 'r+');
    writeSync(fd, sameBytes(`inside, at ${at}`, MIB), 0, MIB, at);
    closeSync(fd);
  };

  it('is read once on each side for the first change after a start, and the change travels', async (t) => {
    const first = await afterChange(changeInside(5 * MIB), 'found.wav');
    const mds1 = cluster.one('mds1');
    await Promise.all([mds1.stop(), cluster.main.stop()]);
    await cluster.startMain();
    mds1.start();
    await cluster.inSync(60_000);
    const again = await afterChange(changeInside(15 * MIB), 'found.wav');
    t.diagnostic(`MiB: ${JSON.stringify({ first, again })}`);
    for (const { main, mds, sent, asked } of [first, again]) {
      assert.ok(main < 1.5 * WHOLE, `Main read ${main} MiB for a file of ${WHOLE}`);
      assert.ok(mds < 1.5 * WHOLE, `the MDS read ${mds} MiB for a file of ${WHOLE}`);
      assert.ok(sent < 1.8, `Main sent ${sent} MiB for a change of 1`);
      assert.ok(asked < 0.3, `the MDS sent ${asked} MiB`);
    }
  });

  it('is read once on each side for the second change, and hardly more than the change travels', async (t) => {
    await afterChange((file) => appendFileSync(file, sameBytes('first', SIZE)));
    await afterChange(changeInside(5 * MIB));
    const inside = await afterChange(changeInside(15 * MIB));
    const appended = await afterChange((file) => appendFileSync(file, sameBytes('appended', MIB)));
    const inFront = await afterChange(putInFront);
    const again = await afterChange(putInFront);
    t.diagnostic(`MiB: ${JSON.stringify({ inside, appended, inFront, again })}`);
    for (const { main, mds } of [inside, appended, inFront, again]) {
      assert.ok(main < 1.5 * WHOLE, `Main read ${main} MiB for a file of ${WHOLE}`);
      assert.ok(mds < 1.5 * WHOLE, `the MDS read ${mds} MiB for a file of ${WHOLE}`);
    }
    for (const [changed, { sent, asked }] of [
      [1, inside],
      [1, appended],
      [0, inFront],
      [0, again],
    ] as const) {
      assert.ok(sent < changed + 0.8, `Main sent ${sent} MiB for a change of ${changed}`);
      assert.ok(asked < 0.3, `the MDS sent ${asked} MiB`);
    }
  });

  it('is renamed without being read, and goes to no trash', async (t) => {
    const mds1 = cluster.one('mds1');
    const file = cluster.main.at('sounds', 'large.wav');
    const inode = statSync(mds1.at('sounds', 'large.wav')).ino;
    const before = { main: mibRead(cluster.main), mds: mibRead(mds1) };
    renameSync(file, cluster.main.at('sounds', 'renamed.wav'));
    const isThere = (): boolean =>
      existsSync(mds1.at('sounds', 'renamed.wav')) && !existsSync(mds1.at('sounds', 'large.wav'));
    await eventually('the MDS has the new name', isThere, 60_000);
    await cluster.inSync(60_000);
    const read = { main: mibRead(cluster.main) - before.main, mds: mibRead(mds1) - before.mds };
    t.diagnostic(`MiB read: ${JSON.stringify(read)}`);
    assert.ok(read.main < 5, `Main read ${read.main} MiB`);
    assert.ok(read.mds < 5, `the MDS read ${read.mds} MiB`);
    assert.equal(statSync(mds1.at('sounds', 'renamed.wav')).ino, inode);
    const { code } = await cluster.main.run(['verify']);
    assert.equal(code, 0);
  });

  it('is not renamed but delivered again when it was changed on the MDS meanwhile', async () => {
    const mds1 = cluster.one('mds1');
    await mds1.stop();
    appendFileSync(mds1.at('sounds', 'renamed.wav'), 'drift');
    await cluster.mainNotices(['sounds/again.wav'], () =>
      renameSync(cluster.main.at('sounds', 'renamed.wav'), cluster.main.at('sounds', 'again.wav')),
    );
    mds1.start();
    const isThere = (): boolean =>
      existsSync(mds1.at('sounds', 'again.wav')) && !existsSync(mds1.at('sounds', 'renamed.wav'));
    await eventually('the MDS has the new name', isThere, 60_000);
    await cluster.inSync(60_000);
    assert.equal((await cluster.main.run(['verify'])).code, 0);
    const { stdout } = await cluster.main.run(['trash', 'list', '--mds', 'mds1']);
    assert.match(stdout, /renamed\.wav/);
  });
});
