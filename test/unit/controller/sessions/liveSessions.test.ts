import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { createLogger } from '#host/log/logger.ts';
import { Alarms } from '../../../../controller/daemon/alarms.ts';
import { Registry } from '../../../../controller/registry/registry.ts';
import type { ControllerSession } from '../../../../controller/sessions/controllerSession.ts';
import { LiveSessions } from '../../../../controller/sessions/liveSessions.ts';
import { AgentEnd, settled } from '../../../support/unit/agentEnd.ts';
import { memoryFolder } from '../../../support/unit/memoryFolder.ts';
import { lastSeenOf } from '../../../support/unit/lastSeenOf.ts';
import { PIN, PlayedSession } from '../../../support/unit/mainSession.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

const OTHER_PIN = 'b2'.repeat(32);

/** Main's sessions, with mds1 (PIN) and mds2 (OTHER_PIN) enrolled. */
class Sessions {
  readonly clock = new ManualClock();
  readonly errors: string[] = [];
  readonly registry: Registry;
  readonly alarms: Alarms;
  readonly live: LiveSessions;
  readonly opened: PlayedSession[] = [];
  failure: Error | undefined;

  constructor(t: TestContext) {
    const folder = memoryFolder();
    t.after(() => rmSync(folder, { recursive: true }));
    const log = createLogger('error', ({ event }) => this.errors.push(event));
    this.registry = new Registry(folder);
    for (const [name, pin] of [
      ['mds1', PIN],
      ['mds2', OTHER_PIN],
    ] as const) {
      this.registry.requestPending({ name, pin, address: '192.0.2.1', now: 0 });
      this.registry.approve(name, 0);
    }
    this.alarms = new Alarms(this.clock, log);
    this.live = new LiveSessions({
      registry: this.registry,
      alarms: this.alarms,
      clock: this.clock,
      lastSeen: lastSeenOf(t, this.clock, ['mds1', 'mds2']),
      log,
      open: ({ socket, pin, address }, { name }) => {
        if (this.failure !== undefined) throw this.failure;
        const agent = this.#agents.get(socket);
        assert.ok(agent);
        const owner = {
          closed: (session: Pick<ControllerSession, 'name' | 'address'>) => this.live.left(session),
        };
        const played = new PlayedSession({ agent, clock: this.clock, name, pin, address, owner });
        this.opened.push(played);
        return played.session;
      },
    });
  }

  readonly #agents = new Map<unknown, AgentEnd>();

  /** A connection of an agent with this key. */
  async arrives(pin = PIN, address = '192.0.2.1', isRead = true): Promise<AgentEnd> {
    const agent = new AgentEnd();
    this.#agents.set(agent.socket, agent);
    this.pending = this.live.admit({ socket: agent.socket, pin, address }, isRead);
    await settled();
    return agent;
  }

  pending: Promise<void> = Promise.resolve();
}

describe('A connection of an agent', () => {
  it('becomes its session, and leaves when and whence it was there', async (t) => {
    const all = new Sessions(t);
    const agent = await all.arrives();
    assert.equal(all.live.get('mds1'), all.opened[0]?.session);
    assert.equal(agent.closed, undefined);
    all.clock.advance(1_000);
    agent.line.cut('close');
    await settled();
    assert.equal(all.live.get('mds1'), undefined);
    assert.deepEqual(all.live.lastSeen.get('mds1'), { at: all.clock.now(), address: '192.0.2.1' });
  });

  it('is sent away while Main still reads its disk', async (t) => {
    const sessions = new Sessions(t);
    const agent = await sessions.arrives(PIN, '192.0.2.1', false);
    assert.match(agent.closed ?? '', /^1013 Main has just started/);
    assert.equal(sessions.live.get('mds1'), undefined);
  });

  it('is refused where its key was removed meanwhile', async (t) => {
    const sessions = new Sessions(t);
    sessions.registry.remove('mds1', 1);
    const agent = await sessions.arrives();
    assert.match(agent.closed ?? '', /^1008 this MDS was removed on Main/);
  });

  it('is closed when it can not be opened, which hinders no other', async (t) => {
    const sessions = new Sessions(t);
    sessions.failure = new Error('the disk is full');
    const agent = await sessions.arrives();
    assert.match(agent.closed ?? '', /^1011 Main could not do that/);
    assert.deepEqual(sessions.errors, ['a session could not be opened']);
    sessions.failure = undefined;
    await sessions.arrives(OTHER_PIN);
    assert.ok(sessions.live.get('mds2'));
  });
});

describe('A second connection with the same key', () => {
  it('is refused and an alarm while the first one lives: one machine is a copy of the other', async (t) => {
    const sessions = new Sessions(t);
    const first = await sessions.arrives();
    const second = await sessions.arrives(PIN, '192.0.2.99');
    assert.match(second.of('refused')[0]?.reason ?? '', /mds1 is already connected, from 192\.0\.2\.1/);
    assert.match(second.closed ?? '', /^1008 a second holder of the same key/);
    assert.equal(first.closed, undefined);
    assert.equal(sessions.live.get('mds1'), sessions.opened[0]?.session);
    const [alarm] = sessions.alarms.list;
    assert.match(alarm?.message ?? '', /two machines hold the key of mds1: .*192\.0\.2\.1, .*192\.0\.2\.99/);
  });

  it('takes the place of a first one that does not answer any more', async (t) => {
    const sessions = new Sessions(t);
    const first = await sessions.arrives();
    first.line.cut('silence');
    const second = await sessions.arrives();
    assert.equal(sessions.opened.length, 1, 'the first one is being asked');
    sessions.clock.advance(3_000);
    await sessions.pending;
    assert.equal(sessions.opened.length, 2);
    const [old, now] = sessions.opened;
    assert.equal(sessions.live.get('mds1'), now?.session);
    // The old connection ends late, and takes nothing with it.
    sessions.clock.advance(1_000);
    await old?.session.ended;
    assert.equal(sessions.live.get('mds1'), now?.session);
    assert.equal(second.closed, undefined);
    assert.deepEqual(sessions.alarms.list, []);
  });

  it('is refused where another one has taken the place of the first meanwhile', async (t) => {
    const sessions = new Sessions(t);
    const first = await sessions.arrives();
    first.line.cut('silence');
    await sessions.arrives(PIN, '192.0.2.2');
    const { pending } = sessions;
    const third = await sessions.arrives(PIN, '192.0.2.3');
    sessions.clock.advance(3_000);
    await Promise.all([pending, sessions.pending]);
    await settled();
    assert.equal(sessions.opened.length, 2);
    assert.equal(sessions.live.get('mds1'), sessions.opened[1]?.session);
    assert.match(third.closed ?? '', /^1008/);
    assert.equal(sessions.alarms.list.length, 1);
  });

  it('is refused where the MDS was removed while the first one was asked', async (t) => {
    const sessions = new Sessions(t);
    const first = await sessions.arrives();
    first.line.cut('silence');
    const second = await sessions.arrives();
    sessions.registry.remove('mds1', 1);
    sessions.clock.advance(3_000);
    await sessions.pending;
    await settled();
    assert.match(second.closed ?? '', /^1008 this MDS was removed on Main/);
    assert.equal(sessions.opened.length, 1);
  });
});

describe('Main ends sessions', () => {
  it('of the keys that lost their place, of the MDS that are suspended, or all', async (t) => {
    const sessions = new Sessions(t);
    const [one, two] = [await sessions.arrives(), await sessions.arrives(OTHER_PIN)];
    sessions.live.closeSuspended({ whySuspended: () => undefined });
    sessions.live.disconnect(['c3'.repeat(32)], 'another key took its name');
    await settled();
    assert.deepEqual([one.closed, two.closed], [undefined, undefined]);
    sessions.live.disconnect([PIN], 'another key took its name');
    await settled();
    assert.match(one.closed ?? '', /another key took its name/);
    assert.equal(two.closed, undefined);
    sessions.live.closeSuspended({
      whySuspended: (name) => (name === 'mds2' ? 'it is not in the list' : undefined),
    });
    await settled();
    assert.match(two.closed ?? '', /it is not in the list/);
    const [three, four] = [await sessions.arrives(), await sessions.arrives(OTHER_PIN)];
    sessions.live.closeAll('the configuration was changed');
    await settled();
    assert.match(three.closed ?? '', /configuration/);
    assert.match(four.closed ?? '', /configuration/);
    assert.deepEqual([...sessions.live.values()], []);
  });

  it('and is done when their work is, also that of connections that are gone already', async (t) => {
    const sessions = new Sessions(t);
    const agent = await sessions.arrives();
    let isOver = false;
    const ended = sessions.live.end('Main is stopping').then(() => (isOver = true));
    assert.equal(isOver, false);
    await ended;
    await settled();
    assert.match(agent.closed ?? '', /Main is stopping/);
    assert.equal(sessions.live.openEnds, 0);
    await sessions.live.end('again');
  });
});
