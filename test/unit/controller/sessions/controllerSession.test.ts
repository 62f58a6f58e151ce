import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAIN_CAPABILITIES } from '#protocol/capabilities.ts';
import type { AgentReport } from '#protocol/messages/session.ts';
import { fileEntry } from '../../../support/unit/applyPlace.ts';
import { HELLO, settled } from '../../../support/unit/agentEnd.ts';
import { MainPlace } from '../../../support/unit/mainDirectory.ts';
import { PIN, PlayedSession, TERMS } from '../../../support/unit/mainSession.ts';

const report = (sequence: number, more: Partial<AgentReport> = {}): AgentReport => ({
  type: 'report',
  sequence,
  directories: [],
  clockOffsetMs: 0,
  lastReconcile: null,
  reloads: [],
  owedReloads: [],
  errors: [],
  ...more,
});

async function welcomed(
  options: ConstructorParameters<typeof PlayedSession>[0] = {},
): Promise<PlayedSession> {
  const played = new PlayedSession(options);
  played.agent.hello();
  await settled();
  assert.ok(played.session.isReady);
  return played;
}

/** Lets time pass in which the agent answers pings, and does nothing else. */
async function onlyPongs({ agent, clock }: PlayedSession, seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 5) {
    agent.say({ type: 'pong', sent: clock.now(), time: clock.now() });
    await settled();
    clock.advance(5_000);
  }
  await settled();
}

/** Pings that Main has sent. */
function pingsTo({ agent }: PlayedSession): number {
  return agent.heard.filter(({ type }) => type === 'ping').length;
}

describe('Main pings an agent', () => {
  it('when nothing was heard of it for five seconds', async () => {
    const played = await welcomed();
    played.agent.say({ type: 'pong', sent: played.clock.now(), time: played.clock.now() });
    await settled();
    played.clock.advance(5_000);
    played.clock.advance(5_000);
    await settled();
    assert.equal(pingsTo(played), 3);
  });

  it('that pings Main only every 15 seconds, to compare the clocks', async () => {
    const played = await welcomed();
    const { agent, clock } = played;
    let answered = 0;
    for (let seconds = 0; seconds < 60; seconds += 5) {
      for (; answered < pingsTo(played); answered++)
        agent.say({ type: 'pong', sent: clock.now(), time: clock.now() });
      agent.say({ type: 'ping', sent: clock.now() });
      await settled();
      clock.advance(4_999);
      agent.say({ type: 'ping', sent: clock.now() });
      await settled();
      clock.advance(1);
      await settled();
    }
    assert.equal(pingsTo(played), 1 + 4);
  });
});

describe('A session with an agent begins', () => {
  it('with a hello, which is answered with the terms of its owner', async () => {
    const played = new PlayedSession();
    const { agent, session, events } = played;
    assert.equal(session.isReady, false);
    agent.hello();
    await settled();
    assert.deepEqual(agent.heard.slice(0, 2), [
      {
        type: 'welcome',
        protocol: 1,
        version: '0.2.0',
        name: 'mds1',
        capabilities: [...MAIN_CAPABILITIES],
        ...TERMS,
      },
      { type: 'ping', sent: played.clock.now() },
    ]);
    assert.deepEqual(events, ['ready']);
    assert.equal(session.agentVersion, '0.2.0');
    assert.deepEqual(session.capabilities, new Set(HELLO.capabilities));
    agent.hello();
    await settled();
    assert.match(agent.closed ?? '', /1008 protocol violation: a second hello/);
  });

  for (const message of [
    report(1),
    { type: 'ping', sent: 1 },
    { type: 'answer', id: 1, ok: true, lines: [] },
    { type: 'want-manifest', directory: 'files' },
  ]) {
    it(`with nothing else: "${message.type}" before hello ends it`, async () => {
      const { agent, session, events } = new PlayedSession();
      agent.say(message);
      agent.hello();
      await settled();
      assert.match(agent.closed ?? '', new RegExp(`1008 protocol violation: "${message.type}" before hello`));
      assert.ok(!session.isReady && session.isClosed);
      assert.equal(events.length, 1, 'it was never ready');
      assert.deepEqual(agent.of('welcome'), []);
    });
  }

  it('not with a hello that lacks what this version needs', async () => {
    const { agent, session } = new PlayedSession();
    agent.hello({ state: undefined });
    await settled();
    assert.match(agent.closed ?? '', /1008 protocol violation: an invalid hello/);
    assert.ok(session.isClosed);
  });

  it('not with an agent of another protocol, which learns which side to upgrade', async () => {
    const { agent, log, events } = new PlayedSession();
    agent.hello({ protocol: { oldest: 98, newest: 99 }, state: 'as the future writes it' });
    agent.say(report(1));
    await settled();
    assert.match(agent.of('refused')[0]?.reason ?? '', /this agent 98 to 99: upgrade Main/);
    assert.match(agent.closed ?? '', /^1000 Main speaks protocol/);
    assert.deepEqual(log, ['agent refused']);
    assert.equal(events.length, 1);
    assert.match(events[0] ?? '', /^closed/);
  });

  it('within 15 s, or not at all', async () => {
    const { agent, clock, session } = new PlayedSession();
    for (let seconds = 0; seconds < 20; seconds += 5) {
      // A sign of life that is none of a session.
      agent.say({ type: 'credit', stream: 1, bytes: 1 });
      await settled();
      assert.equal(agent.closed, undefined, `after ${seconds} s`);
      clock.advance(5_000);
    }
    await settled();
    assert.match(agent.closed ?? '', /1008 protocol violation: no hello/);
    assert.ok(session.isClosed);
    clock.advance(1_000);
    assert.equal(clock.timers, 0);
  });
});

describe('A session with an agent ends', () => {
  it('with the reason for its owner, its commands and its waits, and leaves no timer', async () => {
    const played = await welcomed();
    const { session, agent, clock, events } = played;
    const command = session.command({ do: 'reconcile' });
    assert.equal(session.openEnds, 1);
    agent.line.cut('reset');
    assert.match((await command).lines[0] ?? '', /the connection was lost \(.*ECONNRESET/);
    await session.ended;
    assert.match(events.at(-1) ?? '', /^closed: .*ECONNRESET/);
    assert.equal(session.openEnds, 0);
    assert.equal(clock.timers, 0);
    assert.equal((await session.command({ do: 'reconcile' })).lines[0], 'it is not connected');
  });

  it('for its agent with the reason; what the agent sent meanwhile is not handled any more', async () => {
    const { session, agent, events } = await welcomed();
    agent.say(report(1));
    session.close('this MDS was removed on Main');
    agent.say(report(2));
    assert.ok(!session.isReady);
    await settled();
    assert.deepEqual(agent.of('refused'), [{ type: 'refused', reason: 'this MDS was removed on Main' }]);
    assert.match(agent.closed ?? '', /1000 this MDS was removed/);
    assert.equal(events.length, 2);
    assert.match(events[1] ?? '', /^closed/);
  });

  it('when the agent is silent for more than 15 s', async () => {
    const { clock, agent, log } = await welcomed();
    clock.advance(15_000);
    assert.equal(agent.line.b.readyState, 1);
    clock.advance(5_000);
    await settled();
    assert.equal(agent.line.b.readyState, 3);
    assert.deepEqual(log, ['agent fell silent']);
    assert.equal(clock.timers, 0);
  });

  it('and is over when its work is done: an offer whose content was on its way', async (t) => {
    const { directory } = await MainPlace.make(t, {}, { kept: 'kept' });
    const { session, agent } = await welcomed({ directories: new Map([['files', directory]]) });
    const entry = fileEntry('content');
    agent.say({
      type: 'offer',
      stream: 1,
      directory: 'files',
      offers: [{ op: 'put', path: 'a', entry, expect: null, conflict: false, reason: 'new' }],
    });
    await settled();
    assert.equal(session.openEnds, 2, 'a stream, and the work on it');
    let isOver = false;
    const ended = session.ended.then(() => (isOver = true));
    await settled();
    assert.equal(isOver, false);
    agent.line.cut('close');
    await ended;
    assert.equal(session.openEnds, 0);
    assert.equal(directory.promised, 0);
  });
});

describe('A command to an agent', () => {
  it('is answered with all that the agent sent for it', async () => {
    const { session, agent } = await welcomed();
    const action = { directory: 'files', action: 'send', path: 'a', bytes: 1, reason: 'new' } as const;
    agent.answer = () => ({ actions: [action], ok: false, lines: ['one file failed'] });
    assert.deepEqual(await session.command({ do: 'reconcile' }), {
      ok: false,
      lines: ['one file failed'],
      actions: [action],
      body: undefined,
    });
    assert.deepEqual(agent.commands, [{ do: 'reconcile' }]);
  });

  it('fails at once before the agent has said hello', async () => {
    const { session, agent } = new PlayedSession();
    assert.deepEqual((await session.command({ do: 'plan' })).lines, ['it is not connected']);
    await settled();
    assert.deepEqual(agent.heard, []);
  });

  it('is given up after 30 s in which the agent does nothing but answer pings', async () => {
    const played = await welcomed();
    const answer = played.session.command({ do: 'verify' });
    await onlyPongs(played, 40);
    assert.match((await answer).lines[0] ?? '', /^mds1 answers pings but nothing else, for 30 s/);
    assert.equal(played.agent.closed, undefined, 'the connection stays');
  });

  it('is waited for as long as it takes where an older agent installs a package', async () => {
    const played = new PlayedSession();
    played.agent.hello({ capabilities: ['upgrade'] });
    await settled();
    const offer = { version: '9.0.0', size: 1, sha256: 'a'.repeat(64), mainKey: '', signature: '' };
    let isAnswered = false;
    void played.session.command({ do: 'upgrade', offer }).then(() => (isAnswered = true));
    await onlyPongs(played, 120);
    assert.equal(isAnswered, false);
    assert.equal(played.session.openEnds, 1);
    played.session.close('the test ends');
  });
});

describe('What an agent says in a session', () => {
  it('reaches its owner', async (t) => {
    const { directory } = await MainPlace.make(t, {}, {});
    const { session, agent, events } = await welcomed({ directories: new Map([['files', directory]]) });
    agent.say(report(7));
    agent.say({ type: 'applied', directory: 'files', changeSet: 'one', actions: [] });
    agent.say({ type: 'knows-identity', pin: PIN });
    await settled();
    assert.deepEqual(events.slice(1), ['reported 7, delivered 0', 'applied one', 'knows a1a1']);
    assert.equal(session.report?.sequence, 7);
  });

  it('measures how long a change took to it, from the first that it did not have', async (t) => {
    const { directory } = await MainPlace.make(t, {}, { a: 'a' });
    const { session, agent, events, clock } = await welcomed({
      directories: new Map([['files', directory]]),
    });
    const revision = { directory: 'files', from: 1, revision: 2, held: null, items: [] };
    const changedAt = clock.now();
    session.announceRevision(revision, changedAt);
    assert.equal(session.awaitedSince, undefined, 'it has not asked for the directory');
    agent.say({ type: 'want-manifest', directory: 'files' });
    await settled();
    assert.equal(agent.of('manifest-end').length, 1);
    session.announceRevision(revision, changedAt);
    session.announceRevision({ ...revision, from: 2, revision: 3 }, changedAt + 500);
    assert.equal(session.awaitedSince, changedAt);
    clock.advance(1_200);
    const here = { name: 'files', files: 1, bytes: 1, localOnly: 0, held: null, digest: 'a'.repeat(64) };
    agent.say(report(1, { directories: [{ ...here, revision: 2, pending: 1 }] }));
    await settled();
    assert.equal(session.lastDeliveryMs, null, 'something is pending');
    agent.say(report(2, { directories: [{ ...here, revision: 2, pending: 0 }] }));
    await settled();
    assert.equal(session.lastDeliveryMs, 1_200);
    assert.deepEqual(events.slice(1), ['reported 1, delivered 0', 'reported 2, delivered 1']);
  });

  for (const [what, message, why] of [
    ['that it does not understand', { type: 'teleport' }, /an invalid message/],
    [
      'about a directory that Main does not have',
      { type: 'want-manifest', directory: 'x' },
      /"x" that Main does not/,
    ],
    ['in answer to nothing', { type: 'answer', id: 1, ok: true, lines: [] }, /an answer to nothing/],
  ] as const) {
    it(`ends the session when it is something ${what}`, async () => {
      const { agent, events } = await welcomed();
      agent.say(message);
      await settled();
      assert.match(agent.closed ?? '', /^1008 protocol violation/);
      assert.match(agent.closed ?? '', why);
      assert.match(events.at(-1) ?? '', /^closed: protocol violation/);
    });
  }
});
