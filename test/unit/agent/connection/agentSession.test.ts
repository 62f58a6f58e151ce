import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { AgentSession, type SessionHandlers } from '../../../../agent/connection/agentSession.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';
import { asWebSocket, MemoryLine } from '../../../support/wire/memorySocket.ts';

const ignored = (): void => undefined;
const IGNORED: SessionHandlers = {
  welcome: ignored,
  refused: ignored,
  'next-identity': ignored,
  'manifest-begin': ignored,
  'manifest-page': ignored,
  'manifest-end': ignored,
  changes: ignored,
  'folder-renamed': ignored,
  check: ignored,
  command: ignored,
  paused: ignored,
};
const HASH = '0'.repeat(64);

function connected(): { clock: ManualClock; line: MemoryLine; session: AgentSession; closed: string[] } {
  const clock = new ManualClock();
  const line = new MemoryLine();
  const closed: string[] = [];
  line.b.on('error', () => undefined);
  const session = new AgentSession(asWebSocket(line.a), clock, {
    bandwidth: () => ({ rate: 0 }),
    handlers: () => IGNORED,
    onClose: (reason) => closed.push(reason),
  });
  return { clock, line, session, closed };
}

void test('a question on a connection that has just ended fails with the reason of its end', async () => {
  const { line, session, clock } = connected();
  line.cut('reset');
  await assert.rejects(session.resumeOffset('recordings', HASH), /ECONNRESET/);
  const { results } = session.offer('recordings', [], 0);
  await assert.rejects(results, /ECONNRESET/);
  assert.equal(session.openEnds, 0);
  assert.equal(clock.timers, 0);
});

void test('the end of a connection is noticed although it came before the session listened', async () => {
  const line = new MemoryLine();
  line.end(1006, '');
  const reasons: string[] = [];
  const session = new AgentSession(asWebSocket(line.a), new ManualClock(), {
    bandwidth: () => ({ rate: 0 }),
    handlers: () => IGNORED,
    onClose: (reason) => reasons.push(reason),
  });
  await turn();
  assert.deepEqual(reasons, ['the connection was lost']);
  assert.ok(session.signal.aborted);
});

void test('a Main that only answers pings keeps no question and no stream waiting', async () => {
  const { clock, line, session, closed } = connected();
  line.b.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString('utf8')) as { type: string; sent: number };
    if (message.type === 'ping')
      line.b.send(JSON.stringify({ type: 'pong', sent: message.sent, time: clock.now() }));
  });
  line.b.send(
    JSON.stringify({
      type: 'welcome',
      protocol: 1,
      version: '1',
      name: 'mds1',
      main: { stateId: 's', sequence: 1 },
      additive: false,
      directories: [],
      guard: { percent: 25, files: 10 },
      reconcileEvery: 1,
      paused: false,
    }),
  );
  await turn();
  const offset = session.resumeOffset('recordings', HASH);
  const stream = session.get('recordings', [], false);
  const { results } = session.offer('recordings', [], 10);
  const ends = [offset, results, stream[Symbol.asyncIterator]().next()].map((each) =>
    Promise.resolve(each).then(
      () => 'answered',
      (error: Error) => error.message,
    ),
  );
  for (let seconds = 0; seconds < 40; seconds += 5) {
    clock.advance(5_000);
    for (let i = 0; i < 6; i++) await turn();
  }
  for (const end of await Promise.all(ends)) assert.match(end, /Main answers pings but nothing else/);
  assert.deepEqual(closed, []);
  session.wantManifest('recordings');
  for (let seconds = 0; seconds < 40 && closed.length === 0; seconds += 5) {
    clock.advance(5_000);
    for (let i = 0; i < 6; i++) await turn();
  }
  assert.match(closed[0] ?? '', /manifest of recordings/);
});

void test('Main hears of work on the MDS that its stream waits for, as long as that takes', async () => {
  const { clock, line, session } = connected();
  const heard: unknown[] = [];
  line.b.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString('utf8')) as { type: string; sent: number };
    if (message.type !== 'ping') heard.push(message);
    else line.b.send(JSON.stringify({ type: 'pong', sent: message.sent, time: clock.now() }));
  });
  const work = Promise.withResolvers<string>();
  const done = session.whileAtWork(7, work.promise);
  for (let seconds = 0; seconds < 30; seconds += 10) {
    clock.advance(10_000);
    for (let i = 0; i < 6; i++) await turn();
  }
  assert.deepEqual(
    heard,
    Array.from({ length: 3 }, () => ({ type: 'credit', stream: 7, bytes: 0 })),
  );
  work.resolve('done');
  assert.equal(await done, 'done');
  clock.advance(10_000);
  for (let i = 0; i < 6; i++) await turn();
  assert.equal(heard.length, 3);
});
