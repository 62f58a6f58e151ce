import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Activation } from '../../../../../agent/asterisk/activation/activation.ts';
import type { JobRunner } from '../../../../../agent/directory/jobs/jobRunner.ts';
import { OwnVersions } from '../../../../../agent/directory/own/ownVersions.ts';
import type { Reconciler } from '../../../../../agent/directory/reconciler.ts';
import { AgentPlace, MainPlayed } from '../../../../support/unit/agentPlace.ts';
import { inputOf } from '../../../../support/unit/planCase.ts';

class Own {
  readonly place: AgentPlace;
  readonly main: MainPlayed;
  readonly versions: OwnVersions;
  readonly announced: string[] = [];
  readonly activated: string[][] = [];
  readonly rehearsed: string[][] = [];
  objections = new Map<string, string>();
  applied = 0;
  isConnected = true;

  constructor(t: TestContext, place: AgentPlace) {
    this.place = place;
    this.main = new MainPlayed(t);
    const { sync, mainManifest } = place;
    const runner = {
      announce: (_session: unknown, _id: string, actions: readonly PlannedAction[]) =>
        this.announced.push(...actions.map(({ action, path }) => `${action} ${path}`)),
    };
    const activation = {
      rehearse: (changed: ReadonlyMap<string, unknown>) => {
        this.rehearsed.push([...changed.keys()]);
        return Promise.resolve({ objections: this.objections, waiting: new Map(), changes: [] });
      },
      activate: (paths: ReadonlySet<string>) => Promise.resolve(void this.activated.push([...paths])),
    };
    const reconciler = {
      planInput: () => ({ ...inputOf({}), main: mainManifest, mds: sync.replica }),
      obstacleOf: () => undefined,
    };
    this.versions = new OwnVersions({
      place: place.place,
      sync,
      mainManifest,
      runner: runner as unknown as JobRunner,
      activation: activation as unknown as Activation,
      reconciler: reconciler as unknown as Reconciler,
      session: () => (this.isConnected ? this.main.session : undefined),
      events: { applied: () => (this.applied += 1) },
    });
  }
}

async function make(t: TestContext): Promise<Own> {
  const own = new Own(
    t,
    await AgentPlace.make(t, { 'l.conf': 'own', 'd/m.conf': 'own', 'a.conf': "Main's" }),
  );
  own.place.mainHas({ 'a.conf': own.place.entry('a.conf') });
  return own;
}

describe('Local files of an MDS', () => {
  it('go to its trash as one change set, which Main and Asterisk learn', async (t) => {
    const own = await make(t);
    const actions = await own.versions.prune(['l.conf', 'd/m.conf', 'a.conf']);
    assert.deepEqual(actions.map(({ path }) => path).toSorted(), ['d', 'd/m.conf', 'l.conf']);
    assert.deepEqual([own.place.read('l.conf'), own.place.read('a.conf')], [undefined, "Main's"]);
    assert.deepEqual((await own.place.sync.trash()).items.map(({ path }) => path).toSorted(), [
      'd/m.conf',
      'l.conf',
    ]);
    assert.equal(own.applied, 1);
    assert.deepEqual(own.announced.toSorted(), ['remove d', 'remove d/m.conf', 'remove l.conf']);
    assert.deepEqual(own.activated, [[]]);
    assert.equal(own.place.sync.replica.get('l.conf'), undefined);
  });

  it('stay when what is left would break the dialplan', async (t) => {
    const own = await make(t);
    own.objections.set('a.conf', 'line 1: there is no context "own"');
    for (const asked of [own.versions.prune(['l.conf']), own.versions.rehearsePrune(['l.conf'])])
      await assert.rejects(asked, /nothing is removed, .*break the dialplan: a\.conf: line 1/);
    assert.deepEqual(own.rehearsed, [['l.conf'], ['l.conf']]);
    assert.equal(own.place.read('l.conf'), 'own');
    assert.deepEqual([own.announced, own.activated], [[], []]);
  });

  it('stay in a rehearsal, which names what would go', async (t) => {
    const own = await make(t);
    const actions = await own.versions.rehearsePrune(['d/m.conf', 'a.conf']);
    assert.deepEqual(
      actions.map(({ path }) => path),
      ['d/m.conf', 'd'],
    );
    assert.deepEqual(own.rehearsed, [['d/m.conf']], 'a folder is nothing to lint');
    assert.equal(own.place.read('d/m.conf'), 'own');
  });

  it('are none when nothing of it is local: then nothing is reported', async (t) => {
    const own = await make(t);
    assert.deepEqual(await own.versions.prune(['a.conf', 'never']), []);
    assert.deepEqual([own.announced, own.activated, own.applied], [[], [], 0]);
  });

  it('are not known without Main’s manifest', async (t) => {
    const own = await make(t);
    own.place.mainManifest.forgetRevision();
    await assert.rejects(own.versions.prune(['l.conf']), /not connected to Main/);
    await assert.rejects(
      own.versions.give([{ path: 'l.conf' }]),
      /the comparison with Main's files has not ended/,
    );
    own.place.mainHas({});
    own.isConnected = false;
    await assert.rejects(own.versions.prune(['l.conf']), /not connected to Main/);
    await assert.rejects(own.versions.give([{ path: 'l.conf' }]), /has not ended/);
    assert.equal(own.place.read('l.conf'), 'own');
  });
});

describe('A version of this MDS', () => {
  it('is shown: the file, or what is in its trash; an override is never read', async (t) => {
    const own = await make(t);
    const text = (path: string, item?: string): string => own.versions.content(path, item).content.toString();
    assert.equal(text('l.conf'), 'own');
    await own.versions.prune(['l.conf']);
    const [item] = (await own.place.sync.trash()).items;
    assert.equal(text('l.conf', item?.id), 'own');
    assert.throws(() => text('d/xds_override_x'), /an override is never read/);
    assert.throws(() => text('l.conf'), /ENOENT/);
  });

  it('is given to Main, and listed with the others', async (t) => {
    const own = await make(t);
    await own.versions.give([{ path: 'l.conf' }]);
    assert.deepEqual(own.main.received.map(String), ['own']);
    const differences = await own.versions.differences('d');
    assert.deepEqual(
      differences.map(({ kind, path }) => `${kind} ${path}`),
      ['local d/m.conf'],
    );
  });
});
