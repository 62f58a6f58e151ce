import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { ControlError } from '#host/control/controlError.ts';
import { identify, refuseUnless, rollback } from '../../../../../controller/control/past/rollback.ts';
import type { RolledBack } from '../../../../../controller/control/contract/contract.ts';
import { settled } from '../../../../support/unit/agentEnd.ts';
import { DIALPLAN, MainInProcess, RECORDINGS } from '../../../../support/unit/mainInProcess.ts';

const FILE = `${DIALPLAN}/a.conf`;
const SET = '20261126T100000000Z-00000001';

async function make(t: TestContext): Promise<{
  main: MainInProcess;
  undo: (written: string, dryRun?: boolean) => Promise<RolledBack>;
  applied: (changeSet: string, path?: string, action?: string, mds?: string) => Promise<void>;
}> {
  const main = await MainInProcess.start(t, { [FILE]: 'first', [`${RECORDINGS}/r.wav`]: 'first' });
  const agents = new Map([['mds1', await main.mds()]]);
  return {
    main,
    undo: (written, dryRun = false) =>
      rollback(main.controller, written, dryRun, 'command by alice', () => undefined),
    applied: async (changeSet, path = 'a.conf', action = 'send', mds = 'mds1') => {
      const agent = agents.get(mds) ?? (await main.mds(mds));
      agents.set(mds, agent);
      for (const each of agents.values()) each.answer = () => ({});
      const directory = path.endsWith('.conf') ? 'dialplan' : 'recordings';
      const actions = [{ directory, action, path, bytes: 1, reason: 'changed on Main' }];
      agent.say({ type: 'applied', directory, changeSet, actions });
      await settled();
    },
  };
}

describe('A rollback', () => {
  it('restores what was before the change set of an MDS, as a change set of its own, which every MDS gets', async (t) => {
    const { main, undo, applied } = await make(t);
    await main.save(FILE, 'second');
    await applied(SET);
    await main.save(`${DIALPLAN}/b.conf`, 'added since');
    const { directory, actions, by, problems, mds } = await undo(SET);
    assert.equal(directory, 'dialplan');
    assert.deepEqual(
      actions.map(({ action, path }) => `${action} ${path}`),
      ['restore a.conf', 'remove b.conf'],
    );
    assert.deepEqual(problems, []);
    assert.equal(main.read(FILE), 'first');
    assert.equal(main.read(`${DIALPLAN}/b.conf`), undefined);
    assert.deepEqual(
      mds.map(({ name, ok }) => [name, ok]),
      [['mds1', true]],
    );
    const rows = main.controller.history.find({ limit: 9, changeSet: by ?? '' });
    assert.deepEqual(
      rows.map(({ mds: host, kind, path, actor, reason }) => [host, kind, path, actor, reason]),
      ['b.conf', 'a.conf'].map((path) => [
        'main',
        'rollback',
        path,
        'command by alice',
        `rolled back to before ${SET}`,
      ]),
    );
    assert.equal(main.directory('dialplan').originators.of('a.conf').actor, 'command by alice');
    // It can be rolled back itself, by the id that it was shown with.
    await undo(by ?? '');
    assert.equal(main.read(FILE), 'second');
    assert.equal(main.read(`${DIALPLAN}/b.conf`), 'added since');
  });

  it('is possible by the id of a save on Main, and by the beginning of an id', async (t) => {
    const { main, undo, applied } = await make(t);
    const save = await main.save(FILE, 'second');
    await applied(SET);
    assert.equal((await undo(save, true)).changeSet, save);
    assert.equal((await undo(SET.slice(0, -1), true)).changeSet, SET);
    await undo(save);
    assert.equal(main.read(FILE), 'first');
  });

  it('of recordings begins where the history says that Main had changed', async (t) => {
    const { main, undo, applied } = await make(t);
    const { versions } = main.controller;
    await versions.files.keep(
      'recordings',
      [{ path: 'r.wav', ...keepable(main, 'r.wav') }],
      () => false,
      main.controller.signal,
    );
    await main.save(`${RECORDINGS}/r.wav`, 'second');
    await applied(SET, 'r.wav');
    await undo(SET);
    assert.equal(main.read(`${RECORDINGS}/r.wav`), 'first');
  });

  it('changes nothing as a dry run, and is refused while synchronisation is paused', async (t) => {
    const { main, undo, applied } = await make(t);
    await main.save(FILE, 'second');
    await applied(SET);
    main.controller.pause.set(Date.now() + 60_000);
    await assert.rejects(undo(SET), /paused/);
    const { actions, by } = await undo(SET, true);
    assert.match(actions[0]?.reason ?? '', /^would be rolled back/);
    assert.equal(by, null);
    assert.equal(main.read(FILE), 'second');
  });

  it('has nothing to undo where the content is what it was', async (t) => {
    const { main, undo, applied } = await make(t);
    await main.save(FILE, 'second');
    await applied(SET);
    await undo(SET);
    const { actions, by } = await undo(SET);
    assert.deepEqual(actions, []);
    assert.equal(by, null);
  });
});

describe('A rollback is refused as a whole', () => {
  it('when an older content is not kept any more: then nothing was changed', async (t) => {
    const { main, undo, applied } = await make(t);
    await main.save(`${DIALPLAN}/b.conf`, 'b');
    await main.save(FILE, 'second');
    await applied(SET);
    await main.save(`${DIALPLAN}/b.conf`, 'b again');
    const [first] = main.controller.versions.log.ofScope('dialplan', 'a.conf').slice(-1);
    assert.ok(first?.before?.type === 'file');
    main.controller.db.prepare('DELETE FROM kept_contents WHERE hash = ?').run(first.before.hash);
    await assert.rejects(undo(SET), /nothing was changed: a\.conf is not kept in the required version/);
    assert.equal(main.read(`${DIALPLAN}/b.conf`), 'b again');
  });

  it('when two MDS named a change set alike: none of them decides what is undone', async (t) => {
    const { main, undo, applied } = await make(t);
    await main.save(FILE, 'second');
    await applied(SET);
    await applied(SET, 'a.conf', 'send', 'mds2');
    await assert.rejects(undo(SET), /does not name one change set alone: dialplan on mds1, dialplan on mds2/);
    assert.equal(main.read(FILE), 'second');
  });

  it('when the change set only reverted an edit on an MDS', async (t) => {
    const { main, undo, applied } = await make(t);
    await main.save(FILE, 'second');
    await applied(SET);
    const reverted = SET.replace('T10', 'T11');
    await applied(reverted, 'a.conf', 'restore');
    await assert.rejects(undo(reverted), /contains no change from Main .* nothing to undo/);
  });

  it("when Main's record does not go back as far", async (t) => {
    const { main, undo, applied } = await make(t);
    await main.save(FILE, 'second');
    await applied(SET);
    const later = Date.now() + 1;
    main.controller.versions.log.append('dialplan', 'b.conf', null, null, later);
    main.controller.versions.purge(later);
    await assert.rejects(undo(SET), /is older than Main's record of "dialplan": that begins/);
  });

  it('when its directory is on hold, or not synchronised any more', async (t) => {
    const { main, undo, applied } = await make(t);
    await main.save(FILE, 'second');
    await applied(SET);
    rmSync(main.at(DIALPLAN), { recursive: true });
    await assert.rejects(undo(SET), /"dialplan" is on hold on Main/);
    main.controller.history.add({
      at: 1,
      mds: 'mds1',
      directory: 'gone',
      changeSet: 'old',
      kind: 'send',
      detail: '',
    });
    await assert.rejects(undo('old'), /changed "gone", which is no longer a synchronised directory/);
  });

  it('when the id is none, unknown, or the beginning of several', async (t) => {
    const { main, applied } = await make(t);
    await main.save(FILE, 'second');
    for (const number of [1, 2, 3, 4, 5, 6]) await applied(`20261126T100000000Z-0000000${number}`);
    const identified = (written: string): string => identify(main.controller, written);
    const wrong = (text: RegExp) => (error: unknown) =>
      error instanceof ControlError && error.exitCode === 2 && text.test(error.message);
    assert.throws(() => identified('../etc'), wrong(/is not a change set/));
    assert.throws(() => identified('2025'), wrong(/there is no change set "2025"/));
    assert.throws(() => identified('20261126T10'), wrong(/several change sets begin with .*-00000005 …$/));
    assert.equal(identified(SET), SET);
  });
});

it('a message names ten paths, and how many more there are, or one', () => {
  const why = ['is wrong', 'are wrong'] as const;
  refuseUnless([], why);
  const paths = Array.from({ length: 12 }, (_, i) => `f${i}`);
  const message = (named: readonly string[]): RegExp =>
    new RegExp(`^nothing was changed: f0, .*${named.join(' ')}$`);
  assert.throws(() => refuseUnless(paths.slice(0, 10), why), {
    message: message(['f8, f9 are wrong']),
  });
  assert.throws(() => refuseUnless(paths, why), { message: message(['f9 and 2 more are wrong']) });
  assert.throws(() => refuseUnless(['a'], why), { message: 'nothing was changed: a is wrong' });
});

function keepable(main: MainInProcess, name: string): { hash: string; size: number; stamp: string } {
  const { replica } = main.directory('recordings');
  const state = replica.get(name);
  const stamp = replica.stampAt(name);
  assert.ok(state?.kind === 'settled' && state.entry.type === 'file' && stamp !== undefined);
  return { ...state.entry, stamp };
}
