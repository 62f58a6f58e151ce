import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Difference } from '#protocol/messages/answers.ts';
import { prune } from '../../../../../controller/control/differences/prune.ts';
import type { Result } from '../../../../../controller/control/contract/contract.ts';
import type { AgentEnd } from '../../../../support/unit/agentEnd.ts';
import { DIALPLAN, MainInProcess, RECORDINGS } from '../../../../support/unit/mainInProcess.ts';

const local = (path: string, directory = 'dialplan', kind: Difference['kind'] = 'local'): Difference => ({
  kind,
  directory,
  path,
  type: 'file',
  bytes: 5,
});

/** An MDS with these differences, which removes whatever it is asked to remove. */
async function make(
  t: TestContext,
  found: readonly Difference[],
  hello: object = {},
): Promise<{
  main: MainInProcess;
  agent: AgentEnd;
  pruned: (how?: Partial<Parameters<typeof prune>[1]>) => Promise<Result<'prune'>>;
  asked: () => string[];
}> {
  const files = { [`${DIALPLAN}/a.conf`]: 'a', [`${RECORDINGS}/r.wav`]: 'r' };
  const main = await MainInProcess.start(t, files);
  const agent = await main.mds('mds1', hello);
  agent.answer = (command) => {
    if (command.do === 'differences')
      return { body: { to: 'differences', found: [...found], more: 0, problems: [] } };
    if (command.do !== 'prune') return {};
    const { directory, paths } = command;
    const change = { directory, action: 'remove', bytes: 0, reason: 'pruned' } as const;
    agent.say({
      type: 'applied',
      directory,
      changeSet: `set-${directory}`,
      actions: paths.map((path) => ({ ...change, path })),
    });
    return { actions: paths.map((path) => ({ ...change, path })) };
  };
  const pruned = (how: Partial<Parameters<typeof prune>[1]> = {}): Promise<Result<'prune'>> =>
    prune(main.controller, {
      mds: 'mds1',
      path: undefined,
      dryRun: false,
      shown: undefined,
      actor: 'command by alice',
      ...how,
    });
  return { main, agent, pruned, asked: () => agent.commands.map((each) => each.do) };
}

const BOTH = [local('l.conf'), local('edited.conf', 'dialplan', 'drift'), local('l.wav', 'recordings')];

describe('Local files of an MDS', () => {
  it('are removed directory by directory, as the doing of the person, under one id', async (t) => {
    const { main, agent, pruned } = await make(t, BOTH);
    const { removed, problems, files } = await pruned();
    assert.deepEqual(
      removed.map(({ directory, path }) => `${directory}/${path}`),
      ['dialplan/l.conf', 'recordings/l.wav'],
    );
    assert.equal(files.length, 2, 'what is no local file is not among them');
    assert.deepEqual(problems, []);
    assert.deepEqual(
      agent.commands.filter((each) => each.do === 'prune').map((each) => each.paths),
      [['l.conf'], ['l.wav']],
    );
    const rows = main.controller.history.find({ limit: 9 });
    assert.deepEqual(
      rows.map(({ kind, actor, path }) => [kind, actor, path]),
      [
        ['prune', 'command by alice', 'l.wav'],
        ['prune', 'command by alice', 'l.conf'],
      ],
    );
    assert.equal(new Set(rows.map(({ save }) => save)).size, 1);
    assert.ok(rows[0]?.save);
  });

  it('are removed only as they were shown', async (t) => {
    const found = [...BOTH];
    const { pruned, asked } = await make(t, found);
    const { digest } = await pruned({ dryRun: true });
    found.push(local('more.conf'));
    await assert.rejects(
      pruned({ shown: digest }),
      /have changed since they were shown: nothing was removed/,
    );
    assert.ok(!asked().includes('prune'));
    found.pop();
    assert.equal((await pruned({ shown: digest })).removed.length, 2);
  });

  it('stay as a dry run, which says where the MDS would refuse', async (t) => {
    const { agent, pruned, asked } = await make(t, BOTH);
    const { answer } = agent;
    agent.answer = (command) =>
      command.do === 'prune-rehearsal' && command.directory === 'dialplan'
        ? { ok: false, lines: ['a.conf needs it'] }
        : answer(command);
    const { rehearsed, refusals, removed } = await pruned({ dryRun: true });
    assert.ok(rehearsed);
    assert.deepEqual(refusals, [{ directory: 'dialplan', reason: 'a.conf needs it' }]);
    assert.deepEqual(removed, []);
    assert.ok(!asked().includes('prune'));
  });

  it('are not asked about where an agent knows only the command that removes', async (t) => {
    const { pruned, asked } = await make(t, BOTH, { capabilities: ['answers', 'differences'] });
    const { rehearsed, refusals } = await pruned({ dryRun: true });
    assert.deepEqual([rehearsed, refusals], [false, []]);
    assert.deepEqual(asked(), ['differences']);
  });

  it('that stay are named: the MDS refused, or they changed in this moment', async (t) => {
    const { agent, pruned } = await make(t, BOTH);
    const { answer } = agent;
    agent.answer = (command) => {
      if (command.do !== 'prune') return answer(command);
      return command.directory === 'dialplan' ? { ok: false, lines: ['a.conf needs it'] } : { actions: [] };
    };
    const { removed, problems } = await pruned();
    assert.deepEqual(removed, []);
    assert.deepEqual(problems, [
      'mds1: dialplan: a.conf needs it',
      'mds1: recordings: 1 file changed in this moment and stays',
    ]);
  });

  it('are not removed while synchronisation is paused', async (t) => {
    const { main, pruned } = await make(t, BOTH);
    main.controller.pause.set(Date.now() + 60_000);
    await assert.rejects(pruned(), /paused/);
    assert.equal((await pruned({ dryRun: true })).files.length, 2);
  });

  it('are none: an override is named with what to do, and an unknown path is an error', async (t) => {
    const override = await make(t, [local('xds_override_a', 'dialplan', 'override')]);
    await assert.rejects(
      override.pruned({ path: 'dialplan/xds_override_a' }),
      /is an override .*Remove it on mds1 itself/,
    );
    assert.deepEqual((await override.pruned()).files, []);
    const nothing = await make(t, []);
    await assert.rejects(
      nothing.pruned({ path: 'dialplan/never' }),
      /neither Main nor mds1 has dialplan\/never/,
    );
  });
});
