import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { AgentReport, Hello } from '#protocol/messages/session.ts';
import { createLogger } from '#host/log/logger.ts';
import { AgentOwner } from '../../../../controller/sessions/agentOwner.ts';
import { settled } from '../../../support/unit/agentEnd.ts';
import { fileEntry } from '../../../support/unit/applyPlace.ts';
import { DIALPLAN, MainInProcess, RECORDINGS } from '../../../support/unit/mainInProcess.ts';

const SET = '20261126T100000000Z-00000001';
const PIN = 'a1'.repeat(32);
const SESSION = {
  name: 'mds1',
  address: '192.0.2.1',
  agentVersion: '1',
  announceNextPin: () => assert.fail('no key changes'),
};
const action = (path: string, what = 'send', directory = 'dialplan') =>
  ({ directory, action: what as 'send', path, bytes: 5, reason: 'changed on Main' }) as const;

async function make(t: TestContext): Promise<{ main: MainInProcess; owner: AgentOwner; logged: string[] }> {
  const main = await MainInProcess.start(t, { [`${DIALPLAN}/a.conf`]: 'first', [`${RECORDINGS}/r`]: 'r' });
  const logged: string[] = [];
  const log = createLogger('debug', ({ event }) => logged.push(event));
  const owner = new AgentOwner(main.controller, { name: 'mds1', pin: PIN, enrolledAt: 0 }, log);
  return { main, owner, logged };
}

const report = (changed: Partial<AgentReport> = {}): AgentReport => ({
  type: 'report',
  sequence: 5,
  directories: [],
  clockOffsetMs: 0,
  lastReconcile: null,
  reloads: [],
  owedReloads: [],
  errors: [],
  ...changed,
});

const hello = (stateId: string, sequence: number): Hello => ({
  type: 'hello',
  protocol: { oldest: 1, newest: 1 },
  version: '1',
  state: { stateId, sequence },
  directories: [],
});

describe('What an agent gets from Main when it connects', () => {
  it('is its policy of each directory, and whether synchronisation is paused', async (t) => {
    const { main, owner } = await make(t);
    main.controller.pause.set(Date.now() + 60_000);
    const { directories, paused, additive, reconcileEvery, guard } = owner.terms(hello('s', 1));
    assert.deepEqual(
      directories.map(({ name, direction, reload, settle }) => [name, direction, reload, settle]),
      [
        ['dialplan', 'to-mds', 'dialplan', 0],
        ['recordings', 'both', 'none', 0],
      ],
    );
    assert.deepEqual([paused, additive], [true, false]);
    assert.equal(reconcileEvery, main.controller.config.reconcile.everyMs);
    assert.deepEqual(guard, main.controller.config.guard);
  });

  it('are no removals when its state is another one, or an older copy, than Main has met', async (t) => {
    const { main, owner, logged } = await make(t);
    owner.terms(hello('s', 1));
    owner.reported(report({ sequence: 5 }), []);
    owner.closed(SESSION, 'lost');
    const later = (): AgentOwner =>
      new AgentOwner(
        main.controller,
        { name: 'mds1', pin: PIN, enrolledAt: 0 },
        createLogger('warn', ({ event }) => logged.push(event)),
      );
    logged.length = 0;
    assert.equal(later().terms(hello('s', 5)).additive, false);
    assert.deepEqual(logged, []);
    assert.equal(later().terms(hello('s', 4)).additive, true);
    assert.equal(later().terms(hello('another', 9)).additive, true);
    assert.deepEqual(logged, Array(2).fill('the agent came back with another state'));
  });
});

describe('What an MDS did', () => {
  it('is in the history under the save on Main that it carries out', async (t) => {
    const { main, owner } = await make(t);
    owner.ready(SESSION);
    const save = await main.save(`${DIALPLAN}/a.conf`, 'second');
    owner.applied(
      {
        type: 'applied',
        directory: 'dialplan',
        changeSet: SET,
        actions: [action('a.conf'), action('own.conf', 'restore'), action('unknown.conf')],
        dialplan: 'context x gained 1',
        durationMs: 12,
      },
      undefined,
    );
    const rows = main.controller.history.find({ limit: 9, changeSet: SET }).toReversed();
    assert.deepEqual(
      rows.map(({ kind, path, save: of, durationMs }) => [kind, path, of, durationMs]),
      [
        ['send', 'a.conf', save, 12],
        ['restore', 'own.conf', null, 12],
        ['send', 'unknown.conf', null, 12],
        ['dialplan', null, save, 12],
      ],
    );
    const { actor } = main.directory('dialplan').originators.of('a.conf');
    // Its own edit is undone because it edited there.
    assert.deepEqual(
      rows.map((row) => row.actor),
      [actor, 'mds1', 'reconcile', actor],
    );
    assert.notEqual(save, '');
    assert.equal(
      main.controller.versions.appliedRevisions.numberOf('dialplan', SET),
      main.controller.versions.log.newest,
    );
    assert.deepEqual(main.observed, ['mds1 applied 3 in dialplan']);
  });

  it('is the doing of the person who had local files removed there', async (t) => {
    const { main, owner } = await make(t);
    const pruning = { directory: 'dialplan', paths: new Set(['l']), actor: 'command by alice', save: 'one' };
    owner.applied(
      { type: 'applied', directory: 'dialplan', changeSet: SET, actions: [action('l', 'remove')] },
      pruning,
    );
    const [row] = main.controller.history.find({ limit: 1 });
    assert.deepEqual([row?.kind, row?.actor, row?.save], ['prune', 'command by alice', 'one']);
  });

  it('never has the id of a save of Main: that would decide what a rollback of the save undoes', async (t) => {
    const { main, owner, logged } = await make(t);
    const save = await main.save(`${DIALPLAN}/a.conf`, 'second');
    owner.applied(
      { type: 'applied', directory: 'dialplan', changeSet: save, actions: [action('a.conf')] },
      undefined,
    );
    const [row] = main.controller.history.find({ limit: 1 });
    assert.ok(row && row.changeSet !== save && row.changeSet !== '');
    assert.equal(row.save, save);
    assert.ok(logged.includes('the agent named a change set by the id of a save'));
  });

  it('is logged file by file, and of a large set what undid an edit there', async (t) => {
    const { main, owner } = await make(t);
    const info = t.mock.method(main.controller.log, 'info', () => undefined);
    const restored = { ...action('own.conf', 'restore'), reason: 'changed on the MDS (drift)' };
    const applied = (sent: number): string[] => {
      const actions = Array.from({ length: sent }, (_, number) => action(`${number}.conf`));
      info.mock.resetCalls();
      owner.applied(
        { type: 'applied', directory: 'dialplan', changeSet: SET, actions: [...actions, restored] },
        undefined,
      );
      return info.mock.calls.map(({ arguments: [message] }) => String(message));
    };
    assert.deepEqual(applied(2), ['applied', 'send', 'send', 'restore']);
    assert.deepEqual(applied(30), ['applied', 'restore']);
  });

  it('reaches the times of delivery and of reloads, and what Main knows of its versions', async (t) => {
    const { main, owner } = await make(t);
    const directory = main.directory('dialplan');
    owner.ready(SESSION);
    await main.save(`${DIALPLAN}/a.conf`, 'second');
    owner.reported(report(), []);
    const reload = {
      kind: 'dialplan',
      at: new Date().toISOString(),
      ok: true,
      durationMs: 5,
      output: '',
    } as const;
    const here = { name: 'dialplan', files: 1, bytes: 6, pending: 0, localOnly: 0, held: null };
    owner.reported(
      report({
        reloads: [reload],
        directories: [{ ...here, revision: directory.revision, digest: directory.replica.digest }],
      }),
      [{ directory: 'dialplan', changedAt: Date.now() - 100, ms: 50 }],
    );
    assert.deepEqual(main.observed, ['dialplan delivered', 'mds1 reloaded dialplan true']);
    const { appliedRevisions, log } = main.controller.versions;
    // In sync: a later change set begins after what it has.
    log.append('dialplan', 'b.conf', null, fileEntry('b'), Date.now());
    appliedRevisions.applied('dialplan', 'mds1', 'later', [action('a.conf'), action('b.conf')]);
    assert.equal(appliedRevisions.numberOf('dialplan', 'later'), log.newest);
  });

  it('ends with when and whence it was there', async (t) => {
    const { main, owner } = await make(t);
    owner.closed(SESSION, 'lost');
    assert.equal(main.controller.sessions.lastSeen.get('mds1')?.address, '192.0.2.1');
  });
});

describe('What Main took from an MDS', () => {
  it('is in the history and the log, each file as what it was: received, removed, or a conflict', async (t) => {
    const { main, owner } = await make(t);
    const info = t.mock.method(main.controller.log, 'info', () => undefined);
    const record = owner.recorder(main.directory('recordings'), new Set(['c.wav']));
    const entry = fileEntry('five!');
    const staged = { name: '1', inode: '1' };
    const put = (path: string) =>
      ({ kind: 'put', path, entry, expect: undefined, staged, reason: 'new on mds1' }) as const;
    const removed = { kind: 'remove', path: 'r.wav', entry, expect: '1', reason: 'removed on mds1' } as const;
    record({ id: SET, directory: 'recordings', steps: [] }, [
      { step: put('a.wav'), result: 'done' },
      { step: put('c.wav'), result: 'done' },
      { step: removed, result: 'done' },
      { step: put('late.wav'), result: 'stale' },
    ]);
    const rows = main.controller.history.find({ limit: 9 }).toReversed();
    assert.deepEqual(
      rows.map(({ kind, path, actor, bytes, save }) => [kind, path, actor, bytes, save]),
      [
        ['received', 'a.wav', 'mds1', 5, SET],
        ['conflict', 'c.wav', 'mds1', 5, SET],
        ['removed on Main', 'r.wav', 'mds1', 0, SET],
      ],
    );
    assert.deepEqual(main.observed, ['mds1 conflict recordings/c.wav']);
    assert.deepEqual(
      info.mock.calls.map(({ arguments: [event] }) => String(event)),
      rows.map(({ kind }) => kind),
    );
  });
});

describe("Main's next key", () => {
  it('is announced to an agent that connects, and one that has stored it is no straggler', async (t) => {
    const { main } = await make(t);
    const { rotation, servicePort } = main.controller;
    const pin = await rotation.begin(servicePort.identity);
    const agent = await main.mds('mds1');
    assert.deepEqual(agent.of('next-identity'), [{ type: 'next-identity', pin }]);
    assert.deepEqual(rotation.stragglers, ['mds1']);
    agent.say({ type: 'knows-identity', pin });
    await settled();
    assert.deepEqual(rotation.stragglers, []);
  });
});
