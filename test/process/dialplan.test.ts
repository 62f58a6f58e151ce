import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

/** How long the dialplan must be still, milliseconds: the default. */
const SETTLE = 300;
const GOOD = '[default]\nexten = 201,1,NoOp(one)\n';
const BETTER = '[default]\nexten = 201,1,NoOp(two)\n';
const BROKEN = '[default\nexten = 201,1,NoOp(three)\n';

describe('The dialplan of an MDS', () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.make({ mds: ['mds1'] });
    cluster.main.write('dialplan', 'a.conf', GOOD);
    cluster.main.write('dialplan', 'b.conf', '[b]\nexten = 1,1,NoOp()\n');
    await cluster.startMain();
    await cluster.enrolAndStart(cluster.one('mds1'));
    await cluster.inSync();
  });
  after(() => cluster.end());

  it('keeps what it has when Main saves a broken file, and says where it is broken', async () => {
    const mds = cluster.one('mds1');
    const reloads = mds.asterisk.reloads.length;
    cluster.main.write('dialplan', 'a.conf', BROKEN);
    await eventually('the error is reported', async () => (await cluster.statusOf('mds1')).errors.length > 0);
    const { errors, inSync } = await cluster.statusOf('mds1');
    assert.equal(errors[0]?.path, 'dialplan/a.conf');
    assert.match(errors[0]?.message ?? '', /line 1: .*nothing of this change was applied \(lint: block\)/);
    assert.equal(inSync, false);
    assert.equal(mds.read('dialplan', 'a.conf'), GOOD);
    assert.equal(mds.asterisk.reloads.length, reloads);
  });

  it('continues with other directories meanwhile', async () => {
    cluster.main.write('moh', 'x.wav', 'x');
    await eventually('moh is there', () => cluster.one('mds1').read('moh', 'x.wav') === 'x');
  });

  it('takes the corrected file by itself', async () => {
    cluster.main.write('dialplan', 'a.conf', BETTER);
    await eventually('it is there', () => cluster.one('mds1').read('dialplan', 'a.conf') === BETTER);
    await cluster.inSync();
    assert.deepEqual((await cluster.statusOf('mds1')).errors, []);
  });

  it('shows in the history what a change set changed for callers', async () => {
    cluster.main.write('dialplan', 'reported.conf', '[support]\nexten = 100,1,NoOp()\n');
    await cluster.inSync();
    await eventually('it is there', async () => {
      const { stdout } = await cluster.main.run(['history', '--limit', '20']);
      return stdout
        .split('\n')
        .some((line) => line.includes(' dialplan ') && line.includes('[support] +100,1'));
    });
  });

  it('gets files that are saved one after the other as one change set', async () => {
    const mds = cluster.one('mds1');
    // A gap that a busy machine made longer than the settle time ends a set, rightly: such an attempt shows nothing.
    let longest = Infinity;
    let set = '';
    for (let attempt = 0; longest > SETTLE; attempt++) {
      assert.ok(attempt < 20, `no attempt had gaps below ${SETTLE} ms`);
      set = `set${attempt}`;
      longest = 0;
      let last = performance.now();
      for (let i = 0; i < 5; i++) {
        cluster.main.write('dialplan', `${set}-${i}.conf`, `[${set}]\nexten = ${i},1,NoOp()\n`);
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
        await sleep(100);
      }
    }
    await eventually('the last is there', () => existsSync(mds.at('dialplan', `${set}-4.conf`)));
    await cluster.inSync();
    const { stdout } = await cluster.main.run(['history', '--json']);
    const { entries } = JSON.parse(stdout) as { entries: { detail: string; changeSet: string }[] };
    const sets = entries.filter(({ detail }) => detail.startsWith(`${set}-`));
    assert.equal(sets.length, 5);
    assert.equal(new Set(sets.map(({ changeSet }) => changeSet)).size, 1);
  });

  it('is not blocked by a local file that was broken before', async () => {
    const mds = cluster.one('mds1');
    mds.write('dialplan', 'z-local.conf', BROKEN);
    cluster.main.write('dialplan', 'a.conf', GOOD);
    await eventually('it is there', () => mds.read('dialplan', 'a.conf') === GOOD);
    assert.ok(existsSync(mds.at('dialplan', 'z-local.conf')));
  });
});
