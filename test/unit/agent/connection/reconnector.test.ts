import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { MAIN_CAPABILITIES } from '#protocol/capabilities.ts';
import { fromAgentSchema, type ArrivingFromAgent, type FromMain } from '#protocol/messages/session.ts';
import { createLogger } from '#host/log/logger.ts';
import { DialRefused, PinMismatch } from '../../../../agent/connection/dial.ts';
import { Reconnector } from '../../../../agent/connection/reconnector.ts';
import { settled } from '../../../support/unit/agentEnd.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';
import { asWebSocket, MemoryLine } from '../../../support/wire/memorySocket.ts';

const WELCOME: Extract<FromMain, { type: 'welcome' }> = {
  type: 'welcome',
  protocol: 1,
  version: '0.2.0',
  name: 'mds1',
  main: { stateId: 'main', sequence: 1 },
  additive: false,
  directories: [],
  guard: { percent: 25, files: 10 },
  reconcileEvery: 900_000,
  paused: false,
  capabilities: [...MAIN_CAPABILITIES],
};
const PIN = 'a1'.repeat(32);

/** An agent that connects to a Main that the test plays. */
class Link {
  readonly clock = new ManualClock();
  readonly log: string[] = [];
  readonly events: string[] = [];
  /** The connections, oldest first. */
  readonly lines: MemoryLine[] = [];
  readonly heard: ArrivingFromAgent[] = [];
  /** Why no connection can be made. */
  failure: Error | undefined;
  attempts = 0;
  readonly reconnector: Reconnector;

  constructor(t: TestContext) {
    const nothing = (): void => undefined;
    this.reconnector = new Reconnector({
      credentials: {
        connect: () => {
          this.attempts += 1;
          if (this.failure !== undefined) return Promise.reject(this.failure);
          const line = new MemoryLine();
          line.b.on('error', nothing);
          line.b.on('message', (data: Buffer) =>
            this.heard.push(fromAgentSchema.parse(JSON.parse(data.toString()))),
          );
          this.lines.push(line);
          return Promise.resolve({ socket: asWebSocket(line.a) });
        },
        learnNextMain: (pin, onLearnt) => {
          this.events.push(`learnt ${pin.slice(0, 4)}`);
          onLearnt?.();
        },
      },
      hello: () => ({ state: { stateId: 's', sequence: 1 }, directories: [] }),
      bandwidth: () => ({ rate: 0 }),
      clock: this.clock,
      log: createLogger('warn', ({ event, level }) => this.log.push(`${level} ${event}`)),
      onWelcome: () => this.events.push('welcome'),
      onLost: (reason) => this.events.push(`lost: ${reason}`),
      handlers: () => ({
        'manifest-begin': nothing,
        'manifest-page': nothing,
        'manifest-end': nothing,
        changes: nothing,
        'folder-renamed': nothing,
        check: nothing,
        command: nothing,
        paused: () => this.events.push('paused'),
      }),
    });
    t.after(() => this.reconnector.stop());
    this.reconnector.start();
  }

  get line(): MemoryLine {
    const line = this.lines.at(-1);
    assert.ok(line);
    return line;
  }

  async says(message: FromMain): Promise<void> {
    this.line.b.send(JSON.stringify(message));
    await settled();
  }

  /** Waits out the delay before the next attempt. @returns it */
  async retries(): Promise<number> {
    const wait = this.clock.nextIn ?? NaN;
    this.clock.advance(wait);
    await settled();
    return wait;
  }
}

async function connected(t: TestContext): Promise<Link> {
  const link = new Link(t);
  await settled();
  return link;
}

describe('The connection to Main', () => {
  it('begins with a hello, and counts from the welcome on', async (t) => {
    const link = await connected(t);
    assert.equal(link.heard[0]?.type, 'hello');
    assert.equal(link.reconnector.state.state, 'connecting');
    await link.says(WELCOME);
    assert.deepEqual(link.reconnector.state, { state: 'connected', since: link.clock.now() });
    assert.deepEqual(link.events, ['welcome']);
    assert.equal(link.heard[1]?.type, 'ping', 'the clocks are compared at once');
    await link.says({ type: 'paused', paused: true });
    assert.deepEqual(link.events, ['welcome', 'paused']);
  });

  it("learns Main's next key, and says so when it is stored", async (t) => {
    const link = await connected(t);
    await link.says(WELCOME);
    await link.says({ type: 'next-identity', pin: PIN });
    assert.deepEqual(link.events, ['welcome', 'learnt a1a1']);
    assert.deepEqual(link.heard.at(-1), { type: 'knows-identity', pin: PIN });
  });

  it('is made again when it is lost, with the reason for people', async (t) => {
    const link = await connected(t);
    await link.says(WELCOME);
    link.line.cut('reset');
    await settled();
    assert.match(link.events[1] ?? '', /^lost: .*ECONNRESET/);
    const { state } = link.reconnector;
    assert.ok(state.state === 'connecting' && /ECONNRESET/.test(state.problem ?? ''));
    await link.retries();
    assert.equal(link.lines.length, 2);
    await link.says(WELCOME);
    assert.deepEqual(link.reconnector.state.state, 'connected');
    assert.deepEqual(link.log, ['warn Main can not be reached']);
  });

  it('ends with what Main said when it refused', async (t) => {
    const link = await connected(t);
    await link.says({ type: 'refused', reason: 'upgrade the agent on this MDS' });
    link.line.end(1000, 'bye');
    await settled();
    const { state } = link.reconnector;
    assert.ok(state.state === 'connecting');
    assert.equal(state.problem, 'upgrade the agent on this MDS');
    assert.deepEqual(link.events, [], 'it was never there, so it was not lost');
  });

  it('is closed when the agent stops, in whatever state it is', async (t) => {
    const link = await connected(t);
    await link.says(WELCOME);
    await link.reconnector.stop();
    assert.equal(link.clock.timers, 0);
    assert.equal(link.reconnector.openEnds, 0);
    const waiting = new Link(t);
    waiting.failure = new Error('ECONNREFUSED');
    await settled();
    waiting.line.cut('reset');
    await settled();
    assert.equal(waiting.clock.timers, 1);
    await waiting.reconnector.stop();
    assert.equal(waiting.clock.timers, 0);
    assert.equal(waiting.attempts, 1);
  });
});

describe('A Main that can not be reached', () => {
  it('is tried again at growing distances, up to fifteen seconds, and said once', async (t) => {
    const link = new Link(t);
    link.failure = new Error('no route to host');
    await settled();
    link.line.cut('reset');
    await settled();
    const waits: number[] = [];
    for (let i = 0; i < 12; i++) waits.push(await link.retries());
    const [first = 0] = waits;
    assert.ok(first >= 125 && first <= 375, `${first} ms`);
    for (const wait of waits.slice(-4)) assert.ok(wait >= 5_000 && wait <= 15_000, `${wait} ms`);
    assert.deepEqual(link.log.slice(1), ['warn Main can not be reached']);
    link.failure = new DialRefused('Main refused: this MDS was removed');
    await link.retries();
    assert.equal(link.log.length, 3, 'another reason is said');
  });

  it('is tried at once again after a connection that lasted, not after one that Main ended soon', async (t) => {
    const link = await connected(t);
    for (let i = 0; i < 6; i++) {
      await link.says(WELCOME);
      link.line.end(1000, 'it leaves');
      await settled();
      await link.retries();
    }
    assert.equal(link.lines.length, 7);
    link.line.end(1000, 'it leaves');
    await settled();
    assert.ok((link.clock.nextIn ?? 0) > 1_000, 'incompatible programs do not reconnect in a tight loop');
    await link.retries();
    await link.says(WELCOME);
    // More than the 10 s: the clock stands at a sum of random fractions.
    link.clock.advance(10_001);
    await settled();
    link.line.end(1000, 'it leaves');
    await settled();
    assert.ok((link.clock.nextIn ?? Infinity) <= 375);
  });

  it('is an error when another machine answers in its place', async (t) => {
    const link = new Link(t);
    await settled();
    link.failure = new PinMismatch('the host at main is not the Main that this MDS knows');
    link.line.cut('reset');
    await settled();
    await link.retries();
    assert.deepEqual(link.log, ['warn Main can not be reached', 'error ANOTHER MAIN ANSWERS']);
  });
});
