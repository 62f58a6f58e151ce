import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { BehindHistory } from '../../../../controller/page/behindHistory.ts';
import { changeSetDetails, overviewOf, trashListing } from '../../../../controller/page/pageData.ts';
import { settled } from '../../../support/unit/agentEnd.ts';
import { DIALPLAN, MainInProcess } from '../../../support/unit/mainInProcess.ts';

const SET = '20261126T100000000Z-00000001';
const LINES = ['[one]', 'exten => 1,1,NoOp()', 'exten => broken', 'x'.repeat(500), '[two]'];

const make = (t: TestContext): Promise<MainInProcess> =>
  MainInProcess.start(t, { [`${DIALPLAN}/a.conf`]: LINES.join('\n'), '/etc/secret': 'secret' });

/** An MDS reports that this path is blocked. */
async function blocked(
  main: MainInProcess,
  ...errors: readonly (readonly [path: string, message: string])[]
): Promise<void> {
  const agent = await main.mds();
  agent.say({
    type: 'report',
    sequence: 1,
    directories: [],
    clockOffsetMs: 0,
    lastReconcile: null,
    reloads: [],
    owedReloads: [],
    errors: errors.map(([path, message]) => ({ at: new Date().toISOString(), path, message })),
  });
  await settled();
}

describe('The page', () => {
  it("shows the lines around what lint found, of Main's own file", async (t) => {
    const main = await make(t);
    await blocked(main, ['dialplan/a.conf', 'line 3: no priority (lint: block)']);
    const { excerpts, status } = await overviewOf(main.controller, new BehindHistory());
    assert.ok(status.causes.some(({ kind }) => kind === 'blocked'));
    assert.deepEqual(excerpts, {
      'dialplan/a.conf:3': [
        { line: 1, text: '[one]' },
        { line: 2, text: 'exten => 1,1,NoOp()' },
        { line: 3, text: 'exten => broken' },
        { line: 4, text: 'x'.repeat(200) },
        { line: 5, text: '[two]' },
      ],
    });
  });

  it('shows nothing of a path that an MDS made up', async (t) => {
    const main = await make(t);
    const message = 'line 1: no priority (lint: block)';
    await blocked(
      main,
      ['dialplan/../../secret', message],
      ['../etc/secret', message],
      ['/etc/secret', message],
      ['dialplan/never.conf', message],
      ['dialplan/a.conf', 'line 99999999999999999999: no priority (lint: block)'],
    );
    const { excerpts } = await overviewOf(main.controller, new BehindHistory());
    assert.deepEqual(excerpts, {});
  });

  it('shows what a change set did, on this MDS and on those that carried out the same save', async (t) => {
    const main = await make(t);
    const save = await main.save(`${DIALPLAN}/a.conf`, '[new]');
    for (const [name, changeSet] of [
      ['mds1', SET],
      ['mds2', SET.replace('T10', 'T11')],
    ] as const) {
      const agent = await main.mds(name);
      const action = {
        directory: 'dialplan',
        action: 'send',
        path: 'a.conf',
        bytes: 5,
        reason: 'changed on Main',
      };
      agent.say({
        type: 'applied',
        directory: 'dialplan',
        changeSet,
        actions: [action],
        dialplan: 'gained [new]',
      });
    }
    await settled();
    const details = changeSetDetails(main.controller, SET);
    assert.ok(details);
    assert.deepEqual([details.id, details.directory, details.dialplan], [save, 'dialplan', 'gained [new]']);
    assert.deepEqual(details.rows.map(({ mds, action, path }) => `${mds} ${action} ${path}`).toSorted(), [
      'mds1 send a.conf',
      'mds2 send a.conf',
    ]);
    assert.equal(changeSetDetails(main.controller, 'unknown'), undefined);
    const { changeSets } = await overviewOf(main.controller, new BehindHistory());
    assert.equal(changeSets.length, 1);
  });

  it('lists the newest items of the trash, and how many more there are', async (t) => {
    const main = await make(t);
    const agent = await main.mds();
    const item = (i: number) => ({
      id: `${SET}/${i}`,
      directory: 'dialplan',
      path: `f${i}`,
      at: i,
      reason: 'removed',
      type: 'file' as const,
      bytes: 1,
    });
    agent.answer = () => ({
      body: { to: 'trash-list', items: Array.from({ length: 503 }, (_, i) => item(i)), problems: [] },
    });
    const { items, more, problems } = await trashListing(main.controller);
    assert.deepEqual([items.length, more, problems], [500, 3, []]);
    assert.equal(items[0]?.path, 'f502');
  });
});
