import assert from 'node:assert/strict';
import { existsSync, lutimesSync, mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { HistoryEntry, ListedTrash } from '../../controller/control/contract/contract.ts';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';
import { HELLO, HostileAgent } from '../support/harness/hostileAgent.ts';

const CONFIG = `settle: 100ms
directories:
  - { name: dialplan }
  - { name: moh }
  - { name: sounds }
  - { name: recordings, settle: 100ms }
`;
const DAY = 86_400;
/** Debian's faketime gives a process another clock. Preloaded, not by its wrapper: that would not pass signals on. */
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

type Trash = { items: { host: string; directory: string; path: string; reason: string; id: string }[] };

async function trashOf(cluster: Cluster, host: string, file: string): Promise<ListedTrash[]> {
  const { items } = await cluster.ask('trash-list', {});
  return items.filter((item) => item.host === host && `${item.directory}/${item.path}` === file);
}

async function conflicts(cluster: Cluster, file: string): Promise<HistoryEntry[]> {
  const { entries } = await cluster.ask('history', { limit: 1_000 });
  return entries.filter(({ kind, detail }) => kind === 'conflict' && detail.includes(file));
}

/** Main records a conflict once its outcome is durable, by when the winner may be everywhere. */
async function hasConflicts(cluster: Cluster, file: string, count: number): Promise<void> {
  await eventually(
    `${count} conflicts of ${file} are in the history`,
    async () => (await conflicts(cluster, file)).length >= count,
  );
  assert.equal((await conflicts(cluster, file)).length, count);
}

/** Writes a recording as it would be stamped by the host's own clock. @param clock seconds that it is ahead */
function record(host: Host, file: string, content: string, at: number, clock = 0): void {
  host.write('recordings', file, content);
  lutimesSync(host.at('recordings', file), at + clock, at + clock);
}

async function everywhere(cluster: Cluster, file: string, content: string): Promise<void> {
  await eventually(`${file} is "${content}" everywhere`, () =>
    [cluster.main, ...cluster.mds].every((host) => host.read('recordings', file) === content),
  ).catch((error: Error) => {
    const found = [cluster.main, ...cluster.mds].map(
      (host) => `${host.name}: ${host.read('recordings', file)}`,
    );
    assert.fail(`${error.message}; ${found.join(', ')}\n${cluster.mds.map(({ log }) => log).join('\n')}`);
  });
}

void describe('Conflicts', () => {
  let cluster: Cluster;
  /** Seconds that the clock of each MDS is ahead of Main's. */
  const clocks = new Map([
    ['fast', DAY],
    ['slow', -DAY],
    ['right', 0],
  ]);
  const canFake = existsSync(FAKETIME);

  function startAgent(name: string): void {
    const ahead = clocks.get(name) ?? 0;
    const fake = [
      'env',
      `LD_PRELOAD=${FAKETIME}`,
      `FAKETIME=${ahead < 0 ? '' : '+'}${ahead}`,
      'FAKETIME_DONT_FAKE_MONOTONIC=1',
      'NO_FAKE_STAT=1',
    ];
    cluster.one(name).start(ahead === 0 ? [] : fake);
  }

  before(async () => {
    if (!canFake) return;
    cluster = await Cluster.make({ enrolled: true, mds: [...clocks.keys()], config: CONFIG });
    await cluster.startMain();
    for (const mds of cluster.mds) {
      startAgent(mds.name);
    }
    await cluster.inSync();
  });
  after(() => cluster?.end());

  void it('the offset of a clock that is a day off is measured', async (t) => {
    if (!canFake) return t.skip('there is no libfaketime: apt install faketime');
    for (const [name, ahead] of clocks) {
      await eventually(`the offset of ${name} is known`, async () => {
        const { clockOffsetMs } = await cluster.statusOf(name);
        return clockOffsetMs !== null && Math.abs(clockOffsetMs - ahead * 1000) < 1_000;
      });
    }
  });

  void describe('after every MDS was away', () => {
    /** On each MDS two recordings were changed, and on Main, too: one before and one after it. */
    before(async () => {
      if (!canFake) return;
      const now = Math.floor(Date.now() / 1000);
      const files = [...clocks.keys()].flatMap((name) => [`mds-later-${name}.wav`, `main-later-${name}.wav`]);
      for (const file of files) record(cluster.main, file, 'the first', now - 100);
      for (const file of files) await everywhere(cluster, file, 'the first');
      await cluster.inSync();
      await Promise.all(cluster.mds.map((mds) => mds.stop()));
      for (const [name, ahead] of clocks) {
        const mds = cluster.one(name);
        record(mds, `mds-later-${name}.wav`, `from ${name}`, now - 20, ahead);
        record(mds, `main-later-${name}.wav`, `from ${name}`, now - 40, ahead);
      }
      await cluster.mainNotices(
        files.map((file) => `recordings/${file}`),
        () => {
          for (const file of files) record(cluster.main, file, 'from main', now - 30);
        },
      );
      for (const name of clocks.keys()) startAgent(name);
    });

    for (const name of clocks.keys()) {
      void it(`the later change wins although it was made on an MDS (${name} clock)`, async (t) => {
        if (!canFake) return t.skip('there is no libfaketime: apt install faketime');
        const file = `mds-later-${name}.wav`;
        await everywhere(cluster, file, `from ${name}`);
        const [kept] = await trashOf(cluster, 'main', `recordings/${file}`);
        assert.match(kept?.reason ?? '', /changed on both sides/);
        await hasConflicts(cluster, file, 1);
      });

      void it(`the later change wins when it was made on Main, and Main keeps the other (${name} clock)`, async (t) => {
        if (!canFake) return t.skip('there is no libfaketime: apt install faketime');
        const file = `main-later-${name}.wav`;
        await everywhere(cluster, file, 'from main');
        await cluster.inSync();
        const items = await trashOf(cluster, 'main', `recordings/${file}`);
        assert.equal(items.length, 1);
        await hasConflicts(cluster, file, 1);
        await cluster.main.ok(['trash', 'restore', `recordings/${file}`]);
        await everywhere(cluster, file, `from ${name}`);
      });
    }
  });

  /** Of recordings that three hosts have: who changed it when, in seconds before now; and which MDS comes back first. */
  const three = [
    {
      order: ['fast', 'slow', 'right'],
      files: [
        { ago: { main: 30, fast: 20, right: 10 }, newest: 'right' },
        { ago: { main: 30, slow: 10, right: 20 }, newest: 'slow' },
      ],
    },
    { order: ['right', 'fast'], files: [{ ago: { main: 10, fast: 20, right: 30 }, newest: 'main' }] },
  ];
  for (const [group, { order, files }] of three.entries()) {
    void it(`of three hosts the newest wins and Main keeps the others, though clocks are wrong (${order.join(' before ')})`, async (t) => {
      if (!canFake) return t.skip('there is no libfaketime: apt install faketime');
      const fileOf = (number: number): string => `three-${group}-${number}.wav`;
      const now = Math.floor(Date.now() / 1000);
      for (const number of files.keys()) record(cluster.main, fileOf(number), 'the first', now - 100);
      for (const number of files.keys()) await everywhere(cluster, fileOf(number), 'the first');
      await cluster.inSync();
      for (const name of order) await cluster.one(name).stop();
      const recordAll = (): void => {
        for (const [number, { ago }] of files.entries()) {
          for (const [name, seconds] of Object.entries(ago)) {
            const host = name === 'main' ? cluster.main : cluster.one(name);
            record(host, fileOf(number), `from ${name}`, now - seconds, clocks.get(name));
          }
        }
      };
      await cluster.mainNotices(
        [...files.keys()].map((number) => `recordings/${fileOf(number)}`),
        recordAll,
      );
      await cluster.inSync();
      for (const name of order) {
        startAgent(name);
        await cluster.inSync();
        // What is known of its clock outlives its session, and this run of Main.
        await cluster.one(name).stop();
        await cluster.main.stop();
        await cluster.startMain();
      }
      for (const name of order) startAgent(name);
      await cluster.inSync();
      for (const [number, { ago, newest }] of files.entries()) {
        const file = fileOf(number);
        await everywhere(cluster, file, `from ${newest}`);
        const kept = await trashOf(cluster, 'main', `recordings/${file}`);
        assert.equal(kept.length, 2, JSON.stringify(kept));
        const copies = kept.map(({ id }, index) => ({ id, copy: `kept-${group}-${number}-${index}.wav` }));
        for (const { id, copy } of copies)
          await cluster.main.ok(['trash', 'restore', id, '--as', `recordings/${copy}`]);
        const found = copies.map(({ copy }) => cluster.main.read('recordings', copy));
        const others = Object.keys(ago).filter((name) => name !== newest);
        assert.deepEqual(new Set(found), new Set(others.map((name) => `from ${name}`)));
      }
    });
  }

  void it('an agent of an older version gets no clocks, which it would not understand', async (t) => {
    if (!canFake) return t.skip('there is no libfaketime: apt install faketime');
    await cluster.one('right').stop();
    const tells = async (capabilities: readonly string[]): Promise<boolean> => {
      const agent = await HostileAgent.connect(cluster.one('right'), cluster.port, { hello: false });
      agent.say({ ...HELLO, capabilities });
      agent.say({ type: 'want-manifest', directory: 'recordings' });
      await agent.until(({ type }) => type === 'manifest-end');
      agent.hangUp();
      const reported = JSON.stringify(agent.received);
      assert.match(reported, /three-0-1\.wav/);
      return reported.includes('"clock":');
    };
    assert.equal(await tells([]), false);
    assert.equal(await tells(['clocks']), true);
    startAgent('right');
    await cluster.inSync();
  });

  void it('equal times have one winner, and the other is kept', async (t) => {
    if (!canFake) return t.skip('there is no libfaketime: apt install faketime');
    const now = Math.floor(Date.now() / 1000);
    record(cluster.main, 'tie.wav', 'the first', now - 100);
    await everywhere(cluster, 'tie.wav', 'the first');
    await cluster.inSync();
    await cluster.one('right').stop();
    record(cluster.one('right'), 'tie.wav', 'from right', now - 10);
    await cluster.mainNotices(['recordings/tie.wav'], () =>
      record(cluster.main, 'tie.wav', 'from main', now - 10),
    );
    startAgent('right');
    await eventually(
      'a version is kept',
      async () => (await trashOf(cluster, 'main', 'recordings/tie.wav')).length === 1,
    );
    await cluster.inSync();
    await everywhere(cluster, 'tie.wav', cluster.main.read('recordings', 'tie.wav') ?? 'nothing');
  });

  void it('a change on an MDS wins over a removal on Main', async (t) => {
    if (!canFake) return t.skip('there is no libfaketime: apt install faketime');
    const now = Math.floor(Date.now() / 1000);
    for (const file of ['changed.wav', 'unchanged.wav']) {
      record(cluster.main, file, 'the first', now - 100);
      await everywhere(cluster, file, 'the first');
    }
    await cluster.inSync();
    await cluster.one('right').stop();
    for (const file of ['changed.wav', 'unchanged.wav']) unlinkSync(cluster.main.at('recordings', file));
    record(cluster.one('right'), 'changed.wav', 'changed since', now - 50);
    await eventually('they are gone elsewhere', () =>
      ['changed.wav', 'unchanged.wav'].every(
        (file) => !existsSync(cluster.one('fast').at('recordings', file)),
      ),
    );
    startAgent('right');
    await everywhere(cluster, 'changed.wav', 'changed since');
    await cluster.inSync();
    for (const host of [cluster.main, ...cluster.mds])
      assert.equal(existsSync(host.at('recordings', 'unchanged.wav')), false, host.name);
  });
});

void describe('The trash', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ config: CONFIG });
  });
  after(() => cluster.end());

  void it("restores an edit on an MDS under another name, and refuses Main's own name", async () => {
    const mds = cluster.one('mds1');
    cluster.main.write('moh', 'one.wav', "Main's");
    await eventually('it is there', () => mds.read('moh', 'one.wav') === "Main's");
    await cluster.inSync();
    writeFileSync(mds.at('moh', 'one.wav'), 'an edit');
    await eventually("Main's is back", () => mds.read('moh', 'one.wav') === "Main's");
    await eventually(
      'the edit is listed',
      async () => (await trashOf(cluster, 'mds1', 'moh/one.wav')).length === 1,
    );
    const refused = await cluster.main.run(['trash', 'restore', 'moh/one.wav', '--mds', 'mds1']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Main has its own one\.wav, .*--as/);
    await cluster.main.ok(['trash', 'restore', 'moh/one.wav', '--mds', 'mds1', '--as', 'moh/mine.wav']);
    assert.equal(mds.read('moh', 'mine.wav'), 'an edit');
    await cluster.main.ok(['sync']);
    assert.equal(mds.read('moh', 'mine.wav'), 'an edit');
    assert.equal(existsSync(cluster.main.at('moh', 'mine.wav')), false);
    assert.equal(mds.read('moh', 'one.wav'), "Main's");
  });

  void it('keeps the other two of three versions on Main, and the newest wins everywhere', async () => {
    const [one, two] = [cluster.one('mds1'), cluster.one('mds2')];
    const now = Math.floor(Date.now() / 1000);
    record(cluster.main, 'three.wav', 'the first', now - 100);
    await everywhere(cluster, 'three.wav', 'the first');
    await cluster.inSync();
    await Promise.all([one.stop(), two.stop()]);
    record(one, 'three.wav', 'from mds1', now - 30);
    record(two, 'three.wav', 'from mds2', now - 10);
    await cluster.mainNotices(['recordings/three.wav'], () =>
      record(cluster.main, 'three.wav', 'from main', now - 20),
    );
    one.start();
    two.start();
    await everywhere(cluster, 'three.wav', 'from mds2');
    assert.equal((await trashOf(cluster, 'main', 'recordings/three.wav')).length, 2);
    await hasConflicts(cluster, 'three.wav', 2);
  });

  void it('restores a recording that Main removed, on every host', async () => {
    const mds = cluster.one('mds2');
    // A directory that becomes empty would be held.
    cluster.main.write('recordings', 'stays.wav', 'another call');
    mds.write('recordings', 'gone.wav', 'a call');
    await everywhere(cluster, 'gone.wav', 'a call');
    await cluster.inSync();
    unlinkSync(cluster.main.at('recordings', 'gone.wav'));
    await eventually('it is gone', () =>
      cluster.mds.every((each) => !existsSync(each.at('recordings', 'gone.wav'))),
    );
    await cluster.inSync();
    await cluster.main.ok(['trash', 'restore', 'recordings/gone.wav', '--mds', 'mds2']);
    await everywhere(cluster, 'gone.wav', 'a call');
    await cluster.inSync();
    await everywhere(cluster, 'gone.wav', 'a call');
  });

  void it('restores a recording that an MDS still holds because it was away', async () => {
    const away = cluster.one('mds1');
    cluster.main.write('recordings', 'main-gone.wav', 'a call on Main');
    await everywhere(cluster, 'main-gone.wav', 'a call on Main');
    await cluster.inSync();
    cluster.main.write('recordings', 'main-gone.wav', 'the call, cut short');
    await everywhere(cluster, 'main-gone.wav', 'the call, cut short');
    await cluster.inSync();
    await away.stop();
    unlinkSync(cluster.main.at('recordings', 'main-gone.wav'));
    await eventually('it is gone', () => !existsSync(cluster.one('mds2').at('recordings', 'main-gone.wav')));
    const [item] = await trashOf(cluster, 'mds2', 'recordings/main-gone.wav');
    assert.ok(item);
    await cluster.main.ok(['trash', 'restore', item.id, '--mds', 'mds2']);
    await eventually(
      'Main has it',
      () => cluster.main.read('recordings', 'main-gone.wav') === 'the call, cut short',
    );
    away.start();
    await cluster.inSync();
    await everywhere(cluster, 'main-gone.wav', 'the call, cut short');
  });

  void it('restores a recording whose folder was removed with it', async () => {
    const mds = cluster.one('mds2');
    mds.write('recordings', 'october/week/gone.wav', 'a call in October');
    await everywhere(cluster, 'october/week/gone.wav', 'a call in October');
    await cluster.inSync();
    rmSync(cluster.main.at('recordings', 'october'), { recursive: true });
    await eventually('it is gone', () =>
      cluster.mds.every((each) => !existsSync(each.at('recordings', 'october'))),
    );
    await cluster.inSync();
    await cluster.main.ok(['trash', 'restore', 'recordings/october/week/gone.wav', '--mds', 'mds2']);
    await everywhere(cluster, 'october/week/gone.wav', 'a call in October');
    await cluster.main.ok(['sync']);
    await everywhere(cluster, 'october/week/gone.wav', 'a call in October');
  });

  void it('is listed although other things lie in it, on Main and on an MDS, and these are named', async () => {
    const mds = cluster.one('mds1');
    for (const host of [cluster.main, mds]) {
      host.write('moh', '.xivo-xds-sync/trash/a-plain-file', 'odd');
      symlinkSync('/nowhere', host.at('moh', '.xivo-xds-sync/trash/a-link'));
      mkdirSync(host.at('moh', '.xivo-xds-sync/trash/a-set'));
      host.write('moh', '.xivo-xds-sync/trash/a-set/0', 'of something');
      symlinkSync('/nowhere', host.at('moh', '.xivo-xds-sync/trash/a-set/list.json'));
    }
    const ran = await cluster.main.run(['trash', 'list', '--json']);
    assert.equal(ran.code, 1);
    const { items, problems } = JSON.parse(ran.stdout) as Trash & { problems: string[] };
    assert.ok(
      items.some(({ host, path }) => host === 'mds1' && path === 'one.wav'),
      ran.stdout,
    );
    for (const host of ['main', 'mds1']) {
      assert.ok(items.some((item) => item.host === host && item.id === 'a-set/0'));
      for (const odd of ['a-plain-file', 'a-link'])
        assert.match(problems.join('\n'), new RegExp(`^${host}: \\S+/trash/${odd} .*move it away`, 'm'));
    }
    assert.equal(problems.length, 4);
    assert.match((await cluster.main.run(['trash', 'list'])).stderr, /main: .*a-plain-file/);
    await cluster.main.ok(['trash', 'restore', 'moh/one.wav', '--mds', 'mds1', '--as', 'moh/mine-2.wav']);
    assert.equal(mds.read('moh', 'mine-2.wav'), 'an edit');
    for (const host of [cluster.main, mds]) {
      for (const odd of ['a-plain-file', 'a-link', 'a-set'])
        rmSync(host.at('moh', `.xivo-xds-sync/trash/${odd}`), { recursive: true });
    }
  });

  void it('restores only what is named: an item that is not in it is an error', async () => {
    const ran = await cluster.main.run(['trash', 'restore', 'recordings/never-there.wav']);
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /the trash of main contains no [^:]*: see "xivo-xds-sync trash list"/);
  });

  void it("is not part of its directory's content", async () => {
    await cluster.inSync();
    const status = await cluster.status();
    for (const { name, files } of status.main.directories) {
      for (const mds of status.mds)
        assert.equal(mds.directories.find((each) => each.name === name)?.files, files, `${mds.name} ${name}`);
    }
    assert.equal((await cluster.main.run(['verify'])).code, 0);
  });
});

void describe('The trash of a Main where removals on an MDS count', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({
      config: CONFIG.replace('recordings, settle', 'recordings, deletions: both, settle'),
    });
  });
  after(() => cluster.end());

  void it('restores a recording that an MDS removed, and it stays', async () => {
    cluster.main.write('recordings', 'stays.wav', 'another call');
    cluster.main.write('recordings', 'gone.wav', 'a call');
    await everywhere(cluster, 'gone.wav', 'a call');
    await cluster.inSync();
    unlinkSync(cluster.one('mds1').at('recordings', 'gone.wav'));
    await eventually('it is gone', () => !existsSync(cluster.one('mds2').at('recordings', 'gone.wav')));
    await cluster.inSync();
    await cluster.main.ok(['trash', 'restore', 'recordings/gone.wav']);
    await everywhere(cluster, 'gone.wav', 'a call');
    await cluster.main.ok(['sync']);
    await everywhere(cluster, 'gone.wav', 'a call');
  });
});
