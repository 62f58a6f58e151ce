import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Result } from '../../../../../controller/control/contract/contract.ts';
import { trashList, trashRestore } from '../../../../../controller/control/past/trash.ts';
import type { AgentEnd, Answering } from '../../../../support/unit/agentEnd.ts';
import { linkEntry } from '../../../../support/unit/applyPlace.ts';
import { DIALPLAN, MainInProcess } from '../../../../support/unit/mainInProcess.ts';

const FILE = `${DIALPLAN}/a.conf`;
const ITEM = {
  id: '20991231T100000000Z-00000001/1',
  directory: 'dialplan',
  path: 'lost.conf',
  at: Date.UTC(2099, 11, 31),
  reason: 'removed on Main',
  type: 'file' as const,
  bytes: 4,
};

type Options = Parameters<typeof trashRestore>[4] & { as?: string; from?: string };

/** A Main, and an MDS with one item in its trash. */
async function make(
  t: TestContext,
  item: object = ITEM,
): Promise<{
  main: MainInProcess;
  agent: AgentEnd;
  restore: (written: string, options?: Partial<Options>) => Promise<Result<'trash-restore'>>;
}> {
  const main = await MainInProcess.start(t, { [FILE]: 'first', [`${DIALPLAN}/kept.conf`]: 'kept' });
  const agent = await main.mds();
  const listed: Answering = ({ do: what }) =>
    what === 'trash-list' ? { body: { to: 'trash-list', items: [{ ...ITEM, ...item }], problems: [] } } : {};
  agent.answer = listed;
  return {
    main,
    agent,
    restore: (written, { as, from, ...options } = {}) =>
      trashRestore(main.controller, written, as, from, {
        dryRun: false,
        actor: 'command by alice',
        show: () => undefined,
        ...options,
      }),
  };
}

/** Something of Main's is displaced whose version Main does not keep otherwise. @returns its id */
async function displaced(main: MainInProcess, name: string, content: string): Promise<string> {
  await main.save(`${DIALPLAN}/${name}`, content);
  const directory = main.directory('dialplan');
  const state = directory.replica.get(name);
  const expect = directory.replica.stampAt(name);
  assert.ok(state?.kind === 'settled' && expect !== undefined);
  using staging = directory.applier.begin(0);
  const step = { kind: 'remove', path: name, entry: state.entry, expect, reason: 'displaced' } as const;
  const { outcomes } = await staging.commit([step], () => undefined);
  directory.adopt(outcomes, { actor: 'mds1', save: staging.id });
  return `${staging.id}/0`;
}

describe('The trash of all hosts', () => {
  it('is listed, newest first, with what could not be listed', async (t) => {
    const { main } = await make(t);
    await displaced(main, 'b.conf', 'b');
    await main.mds('mds2', { version: '0.1.0' });
    main.controller.sessions.get('mds2')?.close('it leaves');
    const { items, problems } = await trashList(main.controller, undefined);
    assert.deepEqual(
      items.map(({ host, path }) => `${host} ${path}`),
      ['mds1 lost.conf', 'main b.conf'],
    );
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', /^mds2: .*not connected/);
    const only = await trashList(main.controller, 'mds1');
    assert.deepEqual(
      only.items.map(({ host }) => host),
      ['mds1'],
    );
    await assert.rejects(trashList(main.controller, 'mds9'), /there is no MDS "mds9" \(known: mds1, mds2/);
  });

  it('is not taken from an answer that makes no sense', async (t) => {
    const { main, agent } = await make(t);
    agent.answer = () => ({ body: { to: 'why', facts: null } as never });
    const { items, problems } = await trashList(main.controller, undefined);
    assert.deepEqual(items, []);
    assert.match(problems[0] ?? '', /^mds1: its answer is invalid/);
  });
});

describe('What was lost comes back', () => {
  it("from Main's older versions, which are asked first", async (t) => {
    const { main, restore } = await make(t);
    await main.save(FILE, undefined);
    const { host, id, restored } = await restore(FILE);
    assert.deepEqual([host, id], ['main', null]);
    assert.ok(restored);
    assert.equal(main.read(FILE), 'first');
  });

  it("from Main's trash where that is newer than any version: the loser of a conflict", async (t) => {
    const { main, restore } = await make(t);
    const id = await displaced(main, 'b.conf', 'displaced');
    main.controller.db.prepare('DELETE FROM kept_contents').run();
    const done = await restore(`${DIALPLAN}/b.conf`);
    assert.deepEqual([done.host, done.id, done.restored], ['main', id, null]);
    assert.equal(main.read(`${DIALPLAN}/b.conf`), 'displaced');
    const [row] = main.controller.history.find({ limit: 1 });
    assert.deepEqual(
      [row?.kind, row?.mds, row?.path, row?.actor],
      ['restore', 'main', 'b.conf', 'command by alice'],
    );
  });

  it("from Main's trash where an older version is kept, too, and the loser of a conflict came later", async (t) => {
    const { main, restore } = await make(t);
    await main.save(FILE, undefined);
    using staging = main.directory('dialplan').applier.begin(0);
    const entry = linkEntry('loser');
    const step = {
      kind: 'keep',
      path: 'a.conf',
      entry,
      staged: staging.bare(entry),
      reason: 'older',
    } as const;
    await staging.commit([step], () => undefined);
    const done = await restore(FILE, { dryRun: true });
    assert.deepEqual([done.host, done.id, done.restored], ['main', `${staging.id}/0`, null]);
  });

  it('by its id, under another name', async (t) => {
    const { main, restore } = await make(t);
    const id = await displaced(main, 'b.conf', 'displaced');
    const { path } = await restore(id, { as: 'dialplan/c.conf' });
    assert.equal(path, 'c.conf');
    assert.equal(main.read(`${DIALPLAN}/c.conf`), 'displaced');
    assert.equal(main.read(`${DIALPLAN}/b.conf`), undefined);
  });

  it('on the MDS that has it, after Main has forgotten that it was removed', async (t) => {
    const { main, agent, restore } = await make(t);
    const done = await restore('dialplan/lost.conf', { from: 'mds1' });
    assert.deepEqual([done.host, done.id], ['mds1', ITEM.id]);
    assert.deepEqual(agent.commands.at(-1), {
      do: 'trash-restore',
      directory: 'dialplan',
      item: ITEM.id,
      to: 'lost.conf',
    });
    const [row] = main.controller.history.find({ limit: 1 });
    assert.deepEqual([row?.mds, row?.kind, row?.changeSet], ['mds1', 'restore', ITEM.id.split('/')[0]]);
  });

  it('not as a dry run', async (t) => {
    const { main, agent, restore } = await make(t);
    await restore('dialplan/lost.conf', { from: 'mds1', dryRun: true });
    const asked = agent.commands.map((each) => each.do);
    assert.ok(!asked.includes('trash-restore'));
    const { restored } = await restore('dialplan/lost.conf', { from: 'mds1', toMain: true, dryRun: true });
    assert.deepEqual(
      restored?.actions.map(({ action, path, bytes, reason }) => [action, path, bytes, reason]),
      [['restore', 'lost.conf', 4, 'would be restored from the trash of mds1']],
    );
    assert.deepEqual(main.controller.history.find({ limit: 1 }), []);
  });

  it('on Main from the trash of an MDS, which is asked for just that file', async (t) => {
    const { agent, restore } = await make(t);
    // It gives nothing.
    await assert.rejects(
      restore('dialplan/lost.conf', { from: 'mds1', toMain: true, as: 'dialplan/found.conf' }),
      /mds1: it sent nothing; Main was not changed/,
    );
    assert.deepEqual(agent.commands.at(-1), {
      do: 'give',
      directory: 'dialplan',
      files: [{ path: 'found.conf', item: ITEM.id }],
    });
  });
});

describe('It is said why something does not come back', () => {
  for (const [what, written, options, why] of [
    [
      'from Main, where only an MDS has it',
      'dialplan/lost.conf',
      {},
      /main contains no .*, but that of mds1 does: .*--from mds1 --to-main/,
    ],
    [
      'that no host has',
      'dialplan/never.conf',
      {},
      /the trash of main contains no .*: see "xivo-xds-sync trash list"/,
    ],
    [
      'under a name in another directory',
      'dialplan/lost.conf',
      { from: 'mds1', as: 'recordings/found.conf' },
      /"recordings\/found\.conf" is not in dialplan, to which this file is restored/,
    ],
    [
      'as of a time of which Main has no version',
      'dialplan/never.conf',
      { at: 1 },
      /Main keeps no version of dialplan\/never\.conf/,
    ],
    [
      'to a path that leads out',
      'dialplan/lost.conf',
      { from: 'mds1', as: 'dialplan/../../x' },
      /a part "\.\."/,
    ],
  ] as const) {
    it(what, async (t) => {
      const { restore } = await make(t);
      await assert.rejects(restore(written, options), why);
    });
  }

  it('when it is a folder', async (t) => {
    const { restore } = await make(t, { type: 'folder' });
    await assert.rejects(
      restore('dialplan/lost.conf', { from: 'mds1', toMain: true }),
      /dialplan\/lost\.conf is a folder: restore its files one by one/,
    );
  });

  it('when the MDS refuses', async (t) => {
    const { agent, restore } = await make(t);
    const listed = agent.answer;
    agent.answer = (command) =>
      command.do === 'trash-restore' ? { ok: false, lines: ['the disk is full'] } : listed(command);
    await assert.rejects(restore('dialplan/lost.conf', { from: 'mds1' }), /mds1: the disk is full/);
  });
});
