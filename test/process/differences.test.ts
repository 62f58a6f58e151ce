import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { HELLO, HostileAgent } from '../support/harness/hostileAgent.ts';
import { eventually, type Ran } from '../support/harness/host.ts';
import { onTerminal } from '../support/harness/onTerminal.ts';
import { statusAnswer } from '../support/harness/statusShows.ts';

type Difference = {
  kind: string;
  directory: string;
  path: string;
  item: string | null;
  reason: string | null;
};
type Entry = { kind: string; actor: string; path: string | null; reason: string | null; changeSet: string };

const TRUNK = '[trunk]\nexten = 1,1,NoOp(Main)\n';
const EDITED = '[trunk]\nexten = 1,1,NoOp(mds1)\n';

void describe('The differences of an MDS from Main', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1', 'mds2'], config: 'settle: 100ms\n' });
    cluster.main.write('dialplan', 'trunk.conf', TRUNK);
    cluster.main.write('dialplan', 'other.conf', '[other]\nexten = 1,1,NoOp()\n');
    cluster.main.write('moh', 'four.wav', 'four');
    await cluster.startMain();
    for (const mds of cluster.mds) mds.start();
    await cluster.inSync();
  });
  after(() => cluster.end());

  const run = (...args: string[]): Promise<Ran> => cluster.main.run(args);
  const found = async (...args: string[]): Promise<Difference[]> =>
    (JSON.parse((await run('diff', 'mds1', ...args, '--json')).stdout) as { differences: Difference[] })
      .differences;
  /** Edits a delivered file on an MDS, and waits for Main's version. */
  async function drift(path: string, content: string): Promise<void> {
    const mds = cluster.one('mds1');
    const main = cluster.main.read('dialplan', path);
    await cluster.undoes(mds, `dialplan/${path}`, () => mds.write('dialplan', path, content));
    assert.equal(mds.read('dialplan', path), main);
    await cluster.inSync();
  }

  void it('are none at first, and an unknown name ends with 2', async () => {
    const ran = await run('diff', 'mds1');
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /mds1 does not differ from Main/);
    for (const args of [
      ['diff', 'nosuch'],
      ['diff', 'mds1', 'nowhere/x.wav'],
      ['diff', 'mds1', 'moh/not-there.wav'],
      ['diff', 'mds1', 'moh/four.wav', 'more'],
      ['adopt', 'mds1'],
      ['adopt', 'mds1', 'moh/not-there.wav'],
      ['adopt', 'nosuch', 'moh/four.wav'],
      ['revert', 'mds1', 'moh/not-there.wav'],
      ['prune', 'nosuch'],
      ['prune', 'mds1', 'moh', '--no-such'],
    ]) {
      const refused = await run(...args);
      assert.equal(refused.code, 2, `${args.join(' ')}: ${refused.stdout}${refused.stderr}`);
    }
    assert.match((await run('diff', 'nosuch')).stderr, /known: mds1, mds2/);
    assert.match((await run('diff', 'mds1', 'nowhere/x')).stderr, /directories: .*moh/);
    // What is the same on both sides is no mistake.
    for (const verb of ['diff', 'adopt', 'revert'])
      assert.equal((await run(verb, 'mds1', 'moh/four.wav')).code, 0);
  });

  void it('are listed by kind: an edit that was undone, a local file, an override, an excluded name', async () => {
    const mds = cluster.one('mds1');
    mds.write('dialplan', 'local.conf', '[local]\nexten = 2,1,NoOp()\n');
    mds.write('dialplan', 'xds_override_trunk.conf', '[mine]\n');
    mds.write('dialplan', 'trunk.conf.bak', 'left over');
    await drift('trunk.conf', EDITED);
    const differences = await found();
    assert.deepEqual(
      differences.map(({ kind, path }) => [kind, path]),
      [
        ['local', 'local.conf'],
        ['drift', 'trunk.conf'],
        ['excluded', 'trunk.conf.bak'],
        ['override', 'xds_override_trunk.conf'],
      ],
    );
    assert.equal(differences[2]?.reason, '*.bak');
    assert.match(differences[1]?.item ?? '', /\/0$/);
    const { stdout, code } = await run('diff', 'mds1');
    assert.equal(code, 0, 'nothing is behind');
    assert.match(stdout, /^LOCAL +dialplan\/local\.conf .*local file: only on mds1/m);
    assert.match(stdout, /^OVERRIDE +dialplan\/xds_override_trunk\.conf .*never read, sent or removed/m);
    assert.match(stdout, /^DRIFT +dialplan\/trunk\.conf .*Main's version was restored/m);
    assert.match(stdout, /xivo-xds-sync adopt mds1 dialplan\//);
    for (const words of [
      ['diff', 'mds1'],
      ['trash', 'list'],
    ]) {
      const { text } = await onTerminal(cluster.main, words);
      assert.match(text, /trunk\.conf/);
      assert.deepEqual(
        text.split('\n').filter(({ length }) => length > 80),
        [],
      );
    }
    const one = await run('diff', 'mds1', 'dialplan/trunk.conf');
    assert.match(one.stdout, /^-exten = 1,1,NoOp\(Main\)$/m);
    assert.match(one.stdout, /^\+exten = 1,1,NoOp\(mds1\)$/m);
  });

  void it('can be adopted: an edit on one MDS goes to every MDS, and that can be undone', async () => {
    const shown = await run('adopt', 'mds1', 'dialplan/trunk.conf', '-n');
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /nothing was changed/);
    assert.equal(cluster.main.read('dialplan', 'trunk.conf'), TRUNK);
    const ran = await run('adopt', 'mds1', '/etc/asterisk/extensions_extra.d/trunk.conf');
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    for (const host of [cluster.main, ...cluster.mds])
      assert.equal(host.read('dialplan', 'trunk.conf'), EDITED);
    const by = /rollback (\S+)/.exec(ran.stdout)?.[1] ?? '';
    const { entries } = JSON.parse(await cluster.main.ok(['history', '--changeset', by, '--json'])) as {
      entries: Entry[];
    };
    // What it led to on each MDS is below it.
    const adopted = entries.filter(({ kind }) => kind === 'adopt');
    assert.deepEqual(
      adopted.map(({ kind, path, reason }) => [kind, path, reason]),
      [['adopt', 'trunk.conf', 'adopted from mds1']],
    );
    assert.match(adopted[0]?.actor ?? '', /^command by /);
    // What it replaced lies in Main's trash.
    const { items } = JSON.parse(await cluster.main.ok(['trash', 'list', '--json'])) as {
      items: { host: string; path: string }[];
    };
    assert.ok(items.some(({ host, path }) => host === 'main' && path === 'trunk.conf'));
    assert.ok(!(await found()).some(({ path }) => path === 'trunk.conf'), 'it is no difference any more');
    const undone = await run('rollback', by);
    assert.equal(undone.code, 0, undone.stdout + undone.stderr);
    for (const host of [cluster.main, ...cluster.mds])
      assert.equal(host.read('dialplan', 'trunk.conf'), TRUNK);
  });

  void it('can be adopted as a folder, with the folders that Main lacks; never an override or an excluded name', async () => {
    const mds = cluster.one('mds1');
    mds.write('moh', 'new/deep/a.wav', 'a');
    mds.write('moh', 'new/b.wav', 'b');
    mds.write('moh', 'new/xds_override_c.wav', 'c');
    await eventually('they are seen', async () => (await found('moh')).length === 3);
    const ran = await run('adopt', 'mds1', 'moh/new');
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.equal(cluster.one('mds2').read('moh', 'new/deep/a.wav'), 'a');
    assert.equal(cluster.one('mds2').read('moh', 'new/b.wav'), 'b');
    assert.ok(!existsSync(cluster.main.at('moh', 'new/xds_override_c.wav')));
    assert.equal(statSync(mds.at('moh', 'new/deep')).mode, statSync(cluster.main.at('moh', 'new/deep')).mode);
    for (const path of ['moh/new/xds_override_c.wav', 'dialplan/trunk.conf.bak']) {
      const refused = await run('adopt', 'mds1', path);
      assert.equal(refused.code, 1, refused.stdout);
      assert.match(refused.stderr, /is an override|is excluded/);
    }
  });

  void it('can be reverted: not while paused, and not a local file, of which Main has no version', async () => {
    const mds = cluster.one('mds1');
    await cluster.main.ok(['pause', '--for', '5m']);
    try {
      mds.write('dialplan', 'other.conf', '[other]\nexten = 1,1,NoOp(edited)\n');
      await eventually('it is seen', async () => (await found('dialplan/other.conf')).length === 1);
      const seen = await run('diff', 'mds1', 'dialplan/other.conf');
      assert.equal(seen.code, 1, 'it is not as Main has it');
      assert.match(seen.stdout, /^\+exten = 1,1,NoOp\(edited\)$/m);
      assert.equal((await run('revert', 'mds1', 'dialplan/other.conf', '-n')).code, 0);
      const there = await mds.run(['status']);
      assert.match(there.stdout, /^synchronisation is paused: .* on Main: xivo-xds-sync resume$/m);
      const paused = await run('revert', 'mds1', 'dialplan/other.conf');
      assert.equal(paused.code, 1);
      assert.match(paused.stderr, /resume/);
      mds.write('moh', 'only-here.wav', 'local');
      await eventually('it is listed', async () => (await found('moh/only-here.wav')).length === 1);
      const pruned = await run('prune', 'mds1', 'moh/only-here.wav', '--yes');
      assert.equal(pruned.code, 1, 'no file is changed on any host');
      assert.match(pruned.stderr, /resume/);
      rmSync(mds.at('moh', 'only-here.wav'));
    } finally {
      await cluster.main.ok(['resume']);
    }
    await cluster.main.ok(['resume']);
    const { entries } = JSON.parse(await cluster.main.ok(['history', '--json'])) as { entries: Entry[] };
    await eventually('mds1 has resumed', async () => (await statusAnswer(mds)).includes('"paused":false'));
    assert.doesNotMatch((await mds.run(['status'])).stdout, /paused/);
    assert.equal(entries.filter(({ kind }) => kind === 'resume').length, 1, 'only what changed something');
    const ran = await run('revert', 'mds1', 'dialplan/other.conf');
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.equal(mds.read('dialplan', 'other.conf'), '[other]\nexten = 1,1,NoOp()\n');
    const [edit] = await found('dialplan/other.conf');
    assert.ok(edit?.item, 'the edit lies in the trash of mds1');
    const local = await run('revert', 'mds1', 'dialplan/local.conf');
    assert.equal(local.code, 1);
    assert.match(local.stderr, /xivo-xds-sync prune mds1 dialplan\/local\.conf/);
  });

  void it('are pruned when they are local files, after they were shown; nothing else is', async () => {
    const mds = cluster.one('mds1');
    mds.write('moh', 'mine/one.wav', 'one');
    mds.write('moh', 'mine/two.wav', 'two');
    mkdirSync(mds.at('moh', 'kept'));
    mds.write('moh', 'kept/xds_override_x.wav', 'x');
    mds.write('moh', 'kept/y.wav', 'y');
    await eventually(
      'they are seen',
      async () => (await found('moh')).filter(({ kind }) => kind === 'local').length === 3,
    );
    const shown = await run('prune', 'mds1', '-n');
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /^LOCAL +moh\/mine\/one\.wav +3 B +local file of mds1$/m);
    assert.doesNotMatch(shown.stdout, /left alone/);
    const one = await run('prune', 'mds1', 'dialplan/local.conf');
    assert.match(one.stderr, /add --yes to remove this local file \(\d+ B\) of mds1/);
    const unasked = await run('prune', 'mds1');
    assert.equal(unasked.code, 2, 'no one can be asked');
    assert.match(unasked.stderr, /--yes/);
    assert.ok(existsSync(mds.at('moh', 'mine/one.wav')) && existsSync(mds.at('dialplan', 'local.conf')));
    const reloads = mds.asterisk.reloads.length;
    const ran = await run('prune', 'mds1', '--yes');
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    for (const path of ['mine', 'kept/y.wav']) assert.ok(!existsSync(mds.at('moh', path)), path);
    assert.ok(!existsSync(mds.at('dialplan', 'local.conf')));
    assert.equal(mds.read('moh', 'kept/xds_override_x.wav'), 'x');
    assert.equal(mds.read('dialplan', 'xds_override_trunk.conf'), '[mine]\n');
    assert.equal(mds.read('dialplan', 'trunk.conf.bak'), 'left over');
    assert.equal(mds.read('dialplan', 'trunk.conf'), TRUNK);
    assert.ok(mds.asterisk.reloads.length > reloads, 'Asterisk reads what is left');
    assert.ok(!(await found()).some(({ kind }) => kind === 'local'));
    const dry = await cluster.main.ok(['trash', 'restore', 'moh/mine/one.wav', '--from', 'mds1', '-n']);
    assert.match(
      dry,
      /^nothing was changed: mds1 would restore moh\/mine\/one\.wav from its trash \(\S+\)$/m,
    );
    assert.equal(mds.read('moh', 'mine/one.wav'), undefined);
    await cluster.main.ok(['trash', 'restore', 'moh/mine/one.wav', '--from', 'mds1']);
    assert.equal(mds.read('moh', 'mine/one.wav'), 'one');
    const again = await run('prune', 'mds1', 'moh/mine', '--yes', '--json');
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual((JSON.parse(again.stdout) as { removed: unknown }).removed, [
      { directory: 'moh', path: 'mine/one.wav' },
      { directory: 'moh', path: 'mine' },
    ]);
    const none = await run('prune', 'mds1', '--yes');
    assert.equal(none.code, 0);
    assert.match(none.stdout, /no local files/);
    const { entries } = JSON.parse(
      await cluster.main.ok(['history', '--path', 'moh/mine/two.wav', '--json']),
    ) as {
      entries: Entry[];
    };
    assert.deepEqual(
      entries.map(({ kind, actor }) => [kind, actor.replace(/ by .*/, '')]),
      [['prune', 'command']],
      'the person who asked for it, once',
    );
    const own = JSON.parse(await mds.ok(['history', '--path', 'moh/mine/one.wav', '--json'])) as {
      entries: Entry[];
    };
    assert.deepEqual(
      own.entries.map(({ kind, actor }) => [kind, actor]),
      [
        ['remove', 'main'],
        ['restore', 'main'],
        ['remove', 'main'],
      ],
    );
  });

  void it('are not pruned while another file needs them: the dialplan would break', async () => {
    const mds = cluster.one('mds1');
    mds.write('dialplan', 'base.conf', '[base](!)\nexten = 7,1,NoOp()\n');
    mds.write('dialplan', 'xds_override_user.conf', '[user](base)\nexten = 8,1,NoOp()\n');
    await eventually('it is seen', async () =>
      (await found()).some(({ kind, path }) => kind === 'local' && path === 'base.conf'),
    );
    // A dry run says so beforehand, and the real one before it asks.
    for (const how of ['-n', '--yes']) {
      const refused = await run('prune', 'mds1', 'dialplan/base.conf', how);
      assert.equal(refused.code, 1, refused.stdout + refused.stderr);
      assert.match(refused.stdout, /^LOCAL +dialplan\/base\.conf/m);
      assert.match(
        refused.stderr,
        /mds1 would refuse this in dialplan: nothing is removed, since what is left would break the dialplan: .*base/,
      );
      assert.match(refused.stdout, /nothing was removed/);
    }
    const json = await run('prune', 'mds1', 'dialplan/base.conf', '-n', '--json');
    assert.equal(json.code, 1);
    const answer = JSON.parse(json.stdout) as { refusals: { directory: string }[]; rehearsed: boolean };
    assert.deepEqual([answer.rehearsed, answer.refusals.map((each) => each.directory)], [true, ['dialplan']]);
    const forced = await run('prune', 'mds1', 'dialplan/base.conf', '--yes', '--json');
    assert.equal(forced.code, 1);
    assert.match(forced.stdout, /nothing is removed, since what is left would break the dialplan: .*base/);
    assert.ok(existsSync(mds.at('dialplan', 'base.conf')));
    // What is refused in one directory does not keep the others.
    mds.write('moh', 'alone.wav', 'alone');
    await eventually('it is seen', async () => (await found()).some(({ path }) => path === 'alone.wav'));
    const partly = await run('prune', 'mds1', '--yes');
    assert.equal(partly.code, 1);
    assert.ok(existsSync(mds.at('dialplan', 'base.conf')) && !existsSync(mds.at('moh', 'alone.wav')));
    rmSync(mds.at('dialplan', 'xds_override_user.conf'));
    const ran = await run('prune', 'mds1', 'dialplan/base.conf', '--yes');
    assert.equal(ran.code, 0, ran.stderr);
    assert.ok(!existsSync(mds.at('dialplan', 'base.conf')));
  });

  void it('of an older agent: a dry run sends it no removal, and says what it can not know', async () => {
    await cluster.one('mds2').stop();
    const agent = await HostileAgent.connect(cluster.one('mds2'), cluster.port, { hello: false });
    agent.say({ ...HELLO, capabilities: ['answers', 'differences'] });
    await agent.until(({ type }) => type === 'welcome');
    const commands = (): { id: number; command: { do: string } }[] =>
      agent.received.filter((each) => each.type === 'command') as never;
    const running = run('prune', 'mds2', 'moh', '-n');
    await eventually('it is asked what is local', () => commands().length > 0);
    const local = { kind: 'local', directory: 'moh', path: 'old.wav', type: 'file', bytes: 3 };
    const body = { to: 'differences', found: [local], more: 0, problems: [] };
    agent.say({ type: 'answer', id: commands()[0]?.id, ok: true, lines: [], body });
    const { code, stdout, stderr } = await running;
    agent.hangUp();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^LOCAL +moh\/old\.wav/m);
    assert.match(stdout, /older version, which can't tell beforehand .*: xivo-xds-sync mds upgrade mds2/);
    assert.deepEqual(
      commands().map(({ command }) => command.do),
      ['differences'],
    );
    cluster.one('mds2').start();
    await cluster.inSync();
  });

  void it('can be adopted from an MDS’s trash, when no other host has the file', async () => {
    const refused = await run('trash', 'restore', 'moh/mine/two.wav');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /--from mds1 --to-main/);
    assert.equal((await run('trash', 'restore', 'moh/mine/two.wav', '--to-main')).code, 2);
    const ran = await run('trash', 'restore', 'moh/mine/two.wav', '--from', 'mds1', '--to-main');
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    for (const host of [cluster.main, ...cluster.mds]) assert.equal(host.read('moh', 'mine/two.wav'), 'two');
    assert.match(ran.stdout, /restored 1 entry of moh; to undo that: xivo-xds-sync rollback \S+/);
    rmSync(cluster.main.at('moh', 'mine'), { recursive: true });
    await cluster.inSync();
  });
});
