import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RolledBack } from '../../../../../controller/control/contract/contract.ts';
import { restoreVersions, type RestoreAsked } from '../../../../../controller/control/past/restore.ts';
import { DIALPLAN, MainInProcess } from '../../../../support/unit/mainInProcess.ts';

const FILE = `${DIALPLAN}/a.conf`;

async function make(t: TestContext): Promise<{
  main: MainInProcess;
  restore: (written: string, how?: Partial<RestoreAsked>) => Promise<RolledBack | undefined>;
}> {
  const main = await MainInProcess.start(t, { [FILE]: 'first', [`${DIALPLAN}/kept.conf`]: 'kept' });
  const restore = (written: string, how: Partial<RestoreAsked> = {}): Promise<RolledBack | undefined> =>
    restoreVersions(main.controller, {
      written,
      dryRun: false,
      actor: 'command by alice',
      show: () => undefined,
      ...how,
    });
  return { main, restore };
}

describe('The restoring of an older version', () => {
  it('brings the version before the current one back, as a change set with its history', async (t) => {
    const { main, restore } = await make(t);
    await main.save(FILE, 'second');
    const done = await restore(FILE);
    assert.equal(main.read(FILE), 'first');
    assert.deepEqual(
      done?.actions.map(({ action, path, reason }) => [action, path, reason]),
      [['restore', 'a.conf', 'restored']],
    );
    const [row] = main.controller.history.find({ limit: 1 });
    assert.deepEqual(
      [row?.kind, row?.path, row?.actor, row?.changeSet],
      ['restore', 'a.conf', 'command by alice', done.by],
    );
  });

  it('brings what is missing of a folder back, and leaves what is there', async (t) => {
    const { main, restore } = await make(t);
    await main.save(`${DIALPLAN}/kept.conf`, 'edited');
    await main.save(FILE, undefined);
    const done = await restore('dialplan');
    assert.equal(main.read(FILE), 'first');
    assert.equal(main.read(`${DIALPLAN}/kept.conf`), 'edited');
    assert.equal(done?.actions.length, 1);
  });

  it('brings the state of a time back', async (t) => {
    const { main, restore } = await make(t);
    await main.save(FILE, 'second');
    const between = Date.now();
    await sleep(2);
    await main.save(FILE, 'third');
    await main.save(FILE, 'fourth');
    const done = await restore(FILE, { at: between });
    assert.equal(main.read(FILE), 'second');
    assert.match(done?.actions[0]?.reason ?? '', /^restored as of /);
  });

  it('brings back what one change set removed or replaced, and keeps what came after it', async (t) => {
    const { main, restore } = await make(t);
    const agent = await main.mds();
    agent.answer = () => ({});
    const set = '20261126T100000000Z-00000001';
    await main.save(FILE, 'second');
    const actions = [{ directory: 'dialplan', action: 'send', path: 'a.conf', bytes: 1, reason: 'changed' }];
    agent.say({ type: 'applied', directory: 'dialplan', changeSet: set, actions });
    await main.save(`${DIALPLAN}/later.conf`, 'later');
    const done = await restore(set);
    assert.equal(done?.changeSet, set);
    assert.equal(main.read(FILE), 'first');
    assert.equal(main.read(`${DIALPLAN}/later.conf`), 'later');
  });

  it('shows as a dry run what it would do, even while paused, and is refused then otherwise', async (t) => {
    const { main, restore } = await make(t);
    await main.save(FILE, 'second');
    main.controller.pause.set(Date.now() + 60_000);
    await assert.rejects(restore(FILE), /paused/);
    const done = await restore(FILE, { dryRun: true });
    assert.equal(done?.actions[0]?.reason, 'would be restored');
    assert.equal(main.read(FILE), 'second');
  });

  it('is none where Main has no version: then the trash is asked', async (t) => {
    const { main, restore } = await make(t);
    assert.equal(await restore(FILE), undefined);
    assert.equal(await restore('dialplan/never.conf'), undefined);
    assert.equal(await restore('no directory of Main'), undefined);
    await main.save(`${DIALPLAN}/new.conf`, 'new');
    assert.equal(await restore('dialplan/new.conf'), undefined, 'before it there was nothing');
  });

  it('is refused with what remains to be tried, when a content is not kept any more', async (t) => {
    const { main, restore } = await make(t);
    await main.save(FILE, 'second');
    main.controller.db.prepare('DELETE FROM kept_contents').run();
    await assert.rejects(
      restore(FILE),
      /a\.conf is not kept on Main any more: an MDS may have it in its trash/,
    );
  });

  it('is refused while the directory is on hold', async (t) => {
    const { main, restore } = await make(t);
    rmSync(main.at(DIALPLAN), { recursive: true });
    await assert.rejects(restore(FILE), /"dialplan" is on hold on Main/);
  });
});
