import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { statusShows } from '../support/harness/statusShows.ts';

const CONFIG = 'settle: 100ms\n';
const BROKEN = '[a\nexten => 1,1,NoOp()\n';

void describe('Every command says the same', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ mds: ['mds1'], config: CONFIG });
    cluster.main.write('dialplan', 'ok.conf', '[ok]\nexten => 1,1,NoOp()\n');
    for (let i = 0; i < 30; i++) cluster.main.write('moh', `${i}.wav`, `music ${i}`);
    await eventually('all is there', () => cluster.one('mds1').read('moh', '29.wav') !== undefined);
    await cluster.inSync();
  });
  after(() => cluster.end());

  const actions = async (args: string[]): Promise<{ code: number; actions: Record<string, string>[] }> => {
    const ran = await cluster.main.run([...args, '--json']);
    const { mds } = JSON.parse(ran.stdout) as { mds: { actions: Record<string, string>[] }[] };
    return { code: ran.code ?? -1, actions: mds[0]?.actions ?? [] };
  };

  void it('of a file that lint refuses: while paused, after it was tried, and in sync', async () => {
    await cluster.main.ok(['pause']);
    cluster.main.write('dialplan', 'broken.conf', BROKEN);
    cluster.main.write('dialplan', 'fine.conf', '[fine]\nexten => 1,1,NoOp()\n');
    for (const step of ['paused', 'tried']) {
      if (step === 'tried') {
        await cluster.main.ok(['resume']);
        await statusShows(cluster.main, /broken\.conf/, { hint: /broken\.conf/ });
      }
      const dry = await actions(['-n']);
      assert.equal(dry.code, 1, step);
      const broken = dry.actions.find(({ path }) => path === 'broken.conf');
      assert.equal(broken?.['action'], 'hold', step);
      assert.match(broken?.['reason'] ?? '', /^line 1: .*no closing/, step);
      const fine = dry.actions.find(({ path }) => path === 'fine.conf');
      assert.equal(fine?.['action'], 'hold', step);
      assert.match(fine?.['reason'] ?? '', /broken\.conf/, step);
    }
    await cluster.main.ok(['pause']);
    cluster.main.write('dialplan', 'late.conf', '[late]\nexten => 2,1,NoOp()\n');
    const late = (await actions(['-n'])).actions.find(({ path }) => path === 'late.conf');
    assert.equal(late?.['action'], 'hold', 'a file that is new beside one that was refused');
    assert.match(late?.['reason'] ?? '', /^waits: .*broken\.conf/);
    cluster.main.write('dialplan', 'broken.conf', BROKEN.replace('[a', '[a]'));
    const fixed = await actions(['-n']);
    assert.deepEqual(
      fixed.actions.map(({ action }) => action),
      ['send', 'send', 'send'],
      'what was refused as it was is judged again',
    );
    assert.equal(fixed.code, 0);
    cluster.main.write('dialplan', 'broken.conf', BROKEN);
    await cluster.main.ok(['resume']);
    await statusShows(cluster.main, /broken\.conf/, { hint: /broken\.conf/ });
    const why = await cluster.main.run(['why', 'dialplan/fine.conf']);
    assert.equal(why.code, 1);
    assert.match(why.stdout, /waiting: .*broken\.conf/);
    const synced = await actions(['sync']);
    assert.equal(synced.code, 1);
    assert.deepEqual(
      synced.actions.map(({ action }) => action),
      ['hold', 'hold', 'hold'],
    );
    const text = await cluster.main.run(['-n']);
    assert.doesNotMatch(text.stdout, /xivo-xds-sync confirm/);
    rmSync(cluster.main.at('dialplan', 'broken.conf'));
    await eventually(
      'the other one is there',
      () => cluster.one('mds1').read('dialplan', 'fine.conf') !== undefined,
    );
    await cluster.inSync();
    assert.equal((await actions(['-n'])).code, 0);
  });

  void it('of what a change set means for callers', async () => {
    await cluster.main.ok(['pause']);
    cluster.main.write('dialplan', 'ok.conf', '[ok]\nexten => 1,1,Answer()\n same => n,Hangup()\n');
    rmSync(cluster.main.at('dialplan', 'fine.conf'));
    const text = await cluster.main.run(['-n']);
    assert.equal(text.code, 0);
    assert.match(text.stdout, /^mds1 {2}dialplan {4}callers {3}\[fine\] -1,\* \[ok\] \+1,2 ~1,1$/m);
    const { mds } = JSON.parse((await cluster.main.run(['-n', '--json'])).stdout) as {
      mds: { dialplan: unknown }[];
    };
    assert.deepEqual(mds[0]?.dialplan, [
      {
        directory: 'dialplan',
        contexts: [
          { context: 'fine', gained: [], changed: [], lost: ['1,*'], more: 0 },
          { context: 'ok', gained: ['1,2'], changed: ['1,1'], lost: [], more: 0 },
        ],
        moreContexts: 0,
      },
    ]);
    await cluster.main.ok(['resume']);
    await cluster.inSync();
  });

  void it('of removals that are held', async () => {
    for (let i = 0; i < 20; i++) rmSync(cluster.main.at('moh', `${i}.wav`));
    await statusShows(cluster.main, /HELD/, { hint: /files would be removed/ });
    const dry = await cluster.main.run(['-n']);
    assert.equal(dry.code, 1);
    assert.match(dry.stdout, /hold .*files would be removed/);
    assert.match(dry.stdout, /xivo-xds-sync confirm moh/);
    const why = await cluster.main.run(['why', 'moh/19.wav']);
    assert.equal(why.code, 1);
    assert.match(why.stdout, /waiting: \d+ of \d+ files would be removed/);
    await cluster.main.ok(['confirm', 'moh']);
    await cluster.inSync();
  });

  void it('of a path that is nowhere, and of one in a directory inside another', async () => {
    const nowhere = await cluster.main.run(['why', 'moh/no-such.wav']);
    assert.match(nowhere.stdout, /mds1: no such file on Main or on mds1/);
    const inner = await cluster.main.run(['why', 'sounds/recordings/1.wav']);
    assert.match(inner.stdout, /^1\.wav in recordings/);
  });
});

const canMount = process.getuid?.() === 0;

void describe('Of a file that can not be written', { skip: canMount ? false : 'only root may mount' }, () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.make({ mds: ['mds1'], config: CONFIG });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'xds-test', cluster.one('mds1').at('moh')]);
    await cluster.startMain();
    await cluster.enrol(cluster.one('mds1'));
    cluster.one('mds1').start();
    await cluster.inSync();
  });
  after(async () => {
    execFileSync('umount', ['-l', cluster.one('mds1').at('moh')]);
    await cluster.end();
  });

  /** `-n`, `why`, `status` and `sync` name the file and what is wrong, and end with 1. */
  const assertSame = async (file: string, why: RegExp): Promise<void> => {
    await statusShows(cluster.main, why, { hint: why });
    for (const words of [['-n'], ['why', file], ['status'], ['sync'], ['-n']]) {
      const { code, stdout, stderr } = await cluster.main.run(words);
      const text = `${words.join(' ')}: ${String(code)}\n${stdout}${stderr}`;
      assert.match(text, why, text);
      assert.match(text, new RegExp(file.split('/')[1] ?? ''), text);
      assert.equal(code, 1, text);
      if (words[0] === '-n') assert.doesNotMatch(stdout, /\bsend\b/, text);
    }
  };

  void it('since it is immutable, every command says the same', async (t) => {
    const mds = cluster.one('mds1');
    cluster.main.write('sounds', 'fixed.wav', 'one');
    await eventually('it is there', () => mds.read('sounds', 'fixed.wav') === 'one');
    await cluster.inSync();
    try {
      execFileSync('chattr', ['+i', mds.at('sounds', 'fixed.wav')], { stdio: 'ignore' });
    } catch {
      return t.skip('this file system has no immutable files');
    }
    try {
      cluster.main.write('sounds', 'fixed.wav', 'two');
      await assertSame('sounds/fixed.wav', /immutable/);
    } finally {
      execFileSync('chattr', ['-i', mds.at('sounds', 'fixed.wav')]);
    }
    await eventually('it is replaced', () => mds.read('sounds', 'fixed.wav') === 'two', 90_000);
    await cluster.inSync(90_000);
    assert.equal((await cluster.main.run(['-n'])).code, 0);
  });

  void it('since the disk is full, every command says the same', async () => {
    cluster.main.write('moh', 'large.wav', Buffer.alloc(12 * 1024 * 1024, 2));
    await assertSame('moh/large.wav', /no room in/);
    execFileSync('mount', ['-o', 'remount,size=128m', cluster.one('mds1').at('moh')]);
    await cluster.inSync(90_000);
    assert.equal((await cluster.main.run(['-n'])).code, 0);
  });
});
