import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentReport } from '#protocol/messages/session.ts';
import { rotationOf, statusOf, toGoAt } from '../../../../../controller/control/status/status.ts';
import type { MdsStatus } from '../../../../../controller/control/contract/contract.ts';
import { type AgentEnd, settled } from '../../../../support/unit/agentEnd.ts';
import { DIALPLAN, MainInProcess, RECORDINGS } from '../../../../support/unit/mainInProcess.ts';

const make = (t: TestContext): Promise<MainInProcess> =>
  MainInProcess.start(t, { [`${DIALPLAN}/a.conf`]: 'a', [`${RECORDINGS}/r.wav`]: 'r' });

/** An MDS reports that it has all that Main has, but for what the test says. */
async function reports(
  main: MainInProcess,
  agent: AgentEnd,
  changed: Partial<AgentReport> = {},
  pending = 0,
): Promise<void> {
  agent.say({
    type: 'report',
    sequence: 1,
    directories: [...main.controller.directories.values()].map(({ name, revision, replica }) => ({
      name,
      revision,
      files: replica.files,
      bytes: replica.bytes,
      pending,
      pendingBytes: 10 * pending,
      localOnly: 0,
      held: null,
      digest: replica.digest,
    })),
    clockOffsetMs: 3,
    lastReconcile: null,
    reloads: [],
    owedReloads: [],
    errors: [],
    ...changed,
  });
  await settled();
}

const mds = (main: MainInProcess, name = 'mds1'): MdsStatus => {
  const found = statusOf(main.controller).mds.find((each) => each.name === name);
  assert.ok(found);
  return found;
};

describe('The status of an MDS', () => {
  it('is in sync only when it has all that Main has now', async (t) => {
    const main = await make(t);
    const agent = await main.mds();
    assert.equal(mds(main).inSync, false, 'it has not reported yet');
    await reports(main, agent);
    assert.deepEqual([mds(main).inSync, mds(main).lagMs, mds(main).clockOffsetMs], [true, 0, 3]);
    assert.notEqual(mds(main).inSyncSince, null);
    await main.save(`${DIALPLAN}/b.conf`, 'b');
    const behind = mds(main);
    assert.deepEqual([behind.inSync, behind.inSyncSince], [false, null]);
    assert.ok((behind.lagMs ?? -1) >= 0 && behind.behindSince !== null);
    await reports(main, agent);
    assert.equal(mds(main).inSync, true);
  });

  it('is not in sync with something pending, an error, or a reload to come', async (t) => {
    const main = await make(t);
    const agent = await main.mds();
    const error = { at: new Date().toISOString(), path: 'dialplan/a.conf', message: 'no room' };
    await reports(main, agent, {}, 2);
    assert.equal(mds(main).inSync, false);
    assert.deepEqual(toGoAt(main.controller, 'mds1')?.directories[0]?.pendingBytes, 20);
    await reports(main, agent, { errors: [error] });
    assert.equal(mds(main).inSync, false);
    await reports(main, agent, { owedReloads: ['dialplan'] });
    assert.equal(mds(main).inSync, false);
    const lastReconcile = { at: new Date().toISOString(), ok: false, durationMs: 1 };
    await reports(main, agent, { lastReconcile, errors: [error] });
    assert.equal(mds(main).lastReconcile?.ok, false);
    await reports(main, agent, { lastReconcile });
    assert.equal(mds(main).lastReconcile?.ok, true, 'what failed then is well now');
  });

  it('is behind from the first change on that it missed while it was away', async (t) => {
    const main = await make(t);
    const agent = await main.mds();
    await reports(main, agent);
    agent.line.cut('close');
    await settled();
    const gone = mds(main);
    assert.deepEqual([gone.state, gone.inSync, gone.address], ['disconnected', false, '192.0.2.1']);
    assert.deepEqual([gone.lagMs, gone.behindSince], [null, null], 'it may have missed nothing');
    // The kernel's clock of files is a few milliseconds coarse.
    await sleep(20);
    await main.save(`${DIALPLAN}/b.conf`, 'b');
    assert.notEqual(mds(main).behindSince, null);
    assert.equal(toGoAt(main.controller, 'mds1'), undefined);
  });

  it('is listed in whatever state it is, once', async (t) => {
    const main = await make(t);
    const { registry } = main.controller;
    await main.mds('mds1');
    await main.mds('gone');
    registry.remove('gone', 1);
    await main.mds('again');
    registry.remove('again', 1);
    registry.requestPending({ name: 'again', pin: 'c3'.repeat(32), address: '192.0.2.9', now: 1 });
    const all = statusOf(main.controller).mds.map(({ name, state }) => [name, state]);
    assert.deepEqual(all, [
      ['mds1', 'connected'],
      ['again', 'pending'],
      ['gone', 'revoked'],
    ]);
    assert.match(mds(main, 'again').fingerprint ?? '', /\S/);
  });

  it('alone is asked for by its name, with the causes that concern it', async (t) => {
    const main = await make(t);
    await main.mds('mds1');
    await main.mds('mds2');
    await reports(main, await main.mds('mds3'), {
      errors: [{ at: new Date().toISOString(), path: 'dialplan/a.conf', message: 'no room' }],
    });
    statusOf(main.controller);
    const one = statusOf(main.controller, 'mds3');
    assert.deepEqual(
      one.mds.map(({ name }) => name),
      ['mds3'],
    );
    assert.ok(one.causes.every((cause) => cause.mds.length === 0 || cause.mds.includes('mds3')));
    assert.throws(() => statusOf(main.controller, 'mds9'), /there is no MDS "mds9"/);
  });
});

describe('The status of Main', () => {
  it('counts what it has, and says that it is paused, held or can not read something', async (t) => {
    const main = await make(t);
    const { main: before } = statusOf(main.controller);
    assert.deepEqual(
      before.directories.map(({ name, files, bytes, held }) => [name, files, bytes, held]),
      [
        ['dialplan', 1, 1, null],
        ['recordings', 1, 1, null],
      ],
    );
    assert.deepEqual(
      [before.pausedUntil, before.rotation, before.alarms, before.errors],
      [null, null, [], []],
    );
    const until = Date.now() + 60_000;
    main.controller.pause.set(until);
    main.controller.alarms.raise('a token was used again');
    rmSync(main.at(DIALPLAN), { recursive: true });
    await main.directory('dialplan').replica.rescan();
    const { main: after, causes } = statusOf(main.controller);
    assert.equal(after.pausedUntil, new Date(until).toISOString());
    assert.match(after.directories[0]?.held ?? '', /ENOENT/);
    assert.equal(after.alarms[0]?.message, 'a token was used again');
    const kinds = causes.map(({ kind }) => kind);
    for (const kind of ['hold', 'paused', 'alarm'] as const) assert.ok(kinds.includes(kind), kind);
  });

  it('names a directory of too many files, of which nothing is sent', async (t) => {
    const main = await make(t);
    const directory = main.directory('dialplan');
    t.mock.getter(directory.manifest, 'size', () => 1_000_001);
    const { main: state, causes } = statusOf(main.controller);
    const [error] = state.errors;
    assert.equal(error?.path, 'dialplan');
    assert.match(
      error.message,
      /more files and folders than can be synchronised, 1,000,001 of at most 1,000,000/,
    );
    assert.ok(causes.some(({ kind, severity }) => kind === 'main-error' && severity === 'critical'));
  });

  it('names a canary that does not exist, and the next key while it is announced', async (t) => {
    const main = await make(t);
    const { controller } = main;
    await main.mds();
    controller.config = { ...controller.config, canary: ['mds7'] };
    assert.match(
      statusOf(controller).main.errors[0]?.message ?? '',
      /there is no MDS "mds7", so no MDS waits/,
    );
    await controller.rotation.begin(controller.servicePort.identity);
    assert.deepEqual(rotationOf(controller)?.stragglers, ['mds1']);
  });
});
