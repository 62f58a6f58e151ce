import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import type { WebSocket } from 'ws';
import { encodeFrame } from '#protocol/frames.ts';
import { MAX_STREAMS, WINDOW_BYTES } from '#protocol/limits.ts';
import {
  type ArrivingFromAgent,
  fromAgentSchema,
  type FromMain,
  fromMainSchema,
} from '#protocol/messages/session.ts';
import { Channel } from '#wire/channel.ts';
import type { IncomingStream } from '#wire/incomingStream.ts';
import { ManualClock } from '../../support/wire/manualClock.ts';
import { asWebSocket, MemoryLine } from '../../support/wire/memorySocket.ts';

void test('a peer that does not read is cut off before what waits for it grows without end', () => {
  const socket = Object.assign(new EventEmitter(), {
    OPEN: 1,
    readyState: 1,
    bufferedAmount: 0,
    send(data: string) {
      socket.bufferedAmount += data.length;
    },
    terminate() {
      socket.readyState = 3;
      socket.emit('close', 1006, Buffer.alloc(0));
    },
  });
  const reasons: string[] = [];
  const channel = new Channel<ArrivingFromAgent, FromMain>(socket as unknown as WebSocket, {
    schema: fromAgentSchema,
    onMessage: () => undefined,
    onClose: (reason) => reasons.push(reason),
  });
  const reason = 'x'.repeat(60_000);
  for (let i = 0; i < 10_000; i++) channel.send({ type: 'refused', reason });
  assert.deepEqual(reasons, ['it does not read what it is sent']);
  assert.ok(socket.bufferedAmount < 65 * 1024 * 1024, `${socket.bufferedAmount}`);
});

/** Two ends of a line, and what one of them hears. */
class Pair {
  readonly line = new MemoryLine();
  readonly clock = new ManualClock();
  readonly heard: string[] = [];
  readonly closed: string[] = [];
  readonly main: Channel<ArrivingFromAgent, FromMain>;
  readonly agent: Channel<FromMain, ArrivingFromAgent>;
  onMessage: (message: ArrivingFromAgent) => void = ({ type }) => this.heard.push(type);

  constructor() {
    this.main = new Channel<ArrivingFromAgent, FromMain>(asWebSocket(this.line.a), {
      schema: fromAgentSchema,
      onMessage: (message) => this.onMessage(message),
      onClose: (reason) => this.closed.push(`main: ${reason}`),
      clock: this.clock,
    });
    this.agent = new Channel<FromMain, ArrivingFromAgent>(asWebSocket(this.line.b), {
      schema: fromMainSchema,
      onMessage: () => undefined,
      onClose: (reason) => this.closed.push(`agent: ${reason}`),
      clock: this.clock,
    });
  }

  /** Lets what is under way arrive. */
  async settled(): Promise<void> {
    for (let i = 0; i < 20; i++) await turn();
  }
}

/** All that a stream gives, or why it gives no more. */
async function textOf(stream: IncomingStream): Promise<string> {
  let text = '';
  try {
    for await (const chunk of stream) text += Buffer.from(chunk).toString();
    return text;
  } catch (error) {
    return `${text}: ${String(error)}`;
  }
}

void test('streams carry their own content, each way, and end one by one', async () => {
  const { main, agent } = new Pair();
  const taken = [agent.openIncoming(1), agent.openIncoming(2), main.openIncoming(1)].map(textOf);
  const sent = [main.openOutgoing(1, 1), main.openOutgoing(2, 1), agent.openOutgoing(1, 1)];
  for (const [number, stream] of sent.entries()) await stream.write(Buffer.from(`stream ${number}`));
  await Promise.all(sent.map((stream) => stream.end()));
  assert.deepEqual(await Promise.all(taken), ['stream 0', 'stream 1', 'stream 2']);
  assert.deepEqual([main.streams, agent.streams], [0, 0]);
});

void test('a stream that is given up ends at both ends, and the connection goes on', async () => {
  const pair = new Pair();
  const taken = pair.agent.openIncoming(1);
  const sent = pair.main.openOutgoing(1, 1);
  const sending = sent.write(Buffer.alloc(2 * WINDOW_BYTES)).then(() => sent.end());
  taken.cancel('the disk is full');
  await assert.rejects(sending, /the other side cancelled: the disk is full/);
  const aborted = textOf(pair.agent.openIncoming(2));
  pair.main.openOutgoing(2, 1).abort('the file is gone');
  assert.equal(await aborted, ': Error: the file is gone');
  // Frames of the first stream were still under way.
  await pair.settled();
  assert.deepEqual([pair.closed, pair.main.streams, pair.agent.streams], [[], 0, 0]);
});

void test('a peer that breaks the protocol is cut off with the reason, which it hears', async () => {
  const data = (stream: number, bytes: number): Uint8Array =>
    encodeFrame({ kind: 'data', stream, bytes: Buffer.alloc(bytes) });
  for (const [send, reason] of [
    [[data(9, 1)], 'a frame for stream 9, which was not requested'],
    [[Buffer.from([0, 0, 0, 1, 7])], 'an invalid binary frame'],
    [['{'], 'a text frame that is not JSON'],
    [['{"type":"credit"}'], 'an invalid message'],
    [['{"type":"no such"}'], 'an invalid message'],
    [Array.from({ length: 17 }, () => data(1, 64 * 1024)), 'more on stream 1 than was asked for'],
  ] as const) {
    const pair = new Pair();
    // It has no reader: there is no credit but the first.
    const stream = pair.main.openIncoming(1);
    for (const each of send) pair.line.b.send(each);
    await pair.settled();
    assert.equal(pair.closed.length, 2, reason);
    for (const closed of pair.closed) assert.ok(closed.includes(`protocol violation: ${reason}`), closed);
    assert.match(await textOf(stream), /protocol violation/);
  }
});

void test('a frame of a stream that ended, or that comes while this side closes, is no offence', async () => {
  const pair = new Pair();
  pair.main.openIncoming(1).cancel('enough');
  pair.line.b.send(encodeFrame({ kind: 'data', stream: 1, bytes: Buffer.of(1) }));
  await pair.settled();
  assert.deepEqual(pair.closed, []);
  // It was under way when this side closed.
  pair.line.b.send(encodeFrame({ kind: 'end', stream: 9 }));
  pair.main.close('the daemon stops');
  await pair.settled();
  assert.deepEqual(new Set(pair.closed), new Set(['agent: the daemon stops', 'main: the daemon stops']));
  assert.equal(pair.clock.timers, 0);
});

void test('a message that can not be handled ends this connection with the reason, not the program', async () => {
  const pair = new Pair();
  pair.onMessage = () => {
    throw new Error('a defect');
  };
  pair.agent.send({ type: 'ping', sent: 1 });
  await pair.settled();
  assert.match(pair.closed.join(), /"ping" could not be handled: a defect/);
});

void test('when the connection ends, everything that waits for it ends, and what begins later fails at once', async () => {
  const pair = new Pair();
  const taken = textOf(pair.agent.openIncoming(1));
  const sent = pair.main.openOutgoing(1, 1);
  const writing = sent.write(Buffer.alloc(2 * WINDOW_BYTES)).then(() => sent.end());
  pair.line.end(1001, 'the line was closed');
  await assert.rejects(writing, /the line was closed/);
  assert.match(await taken, /the line was closed/);
  assert.deepEqual(
    new Set(pair.closed),
    new Set(['agent: the line was closed', 'main: the line was closed']),
  );
  for (const channel of [pair.main, pair.agent]) {
    assert.ok(channel.signal.aborted && !channel.isOpen);
    await assert.rejects(channel.openOutgoing(5, 1).write(Buffer.of(1)), /the connection is closed/);
    assert.match(await textOf(channel.openIncoming(6)), /the connection is closed/);
  }
  assert.equal(pair.clock.timers, 0);
});

void test('a peer that does not answer the end of a connection is not waited for', async () => {
  const pair = new Pair();
  pair.line.isSilent = true;
  pair.main.close('enough');
  pair.clock.advance(999);
  assert.deepEqual(pair.closed, []);
  pair.clock.advance(1);
  await pair.settled();
  assert.deepEqual(pair.closed, ['main: the connection was lost']);
  assert.equal(pair.clock.timers, 0);
});

void test('a number stands for one stream, and there are never too many at once', () => {
  const { main } = new Pair();
  main.openOutgoing(1, 1);
  assert.throws(() => main.openOutgoing(1, 1), /stream 1 is in use/);
  main.openIncoming(1).cancel('enough');
  assert.throws(() => main.openIncoming(1), /stream 1 is in use/);
  for (let id = 2; id <= MAX_STREAMS; id++) main.openOutgoing(id, 1);
  assert.throws(() => main.openOutgoing(100, 1), /more than 32 streams/);
  for (let id = 2; id <= MAX_STREAMS + 1; id++) main.openIncoming(id);
  assert.throws(() => main.openIncoming(100), /more than 32 streams/);
});

void test('a stream without progress fails at both ends, one that makes some goes on', async () => {
  const pair = new Pair();
  const stalled = pair.main.openOutgoing(1, 1);
  const stalling = textOf(pair.agent.openIncoming(1));
  const waiting = textOf(pair.main.openIncoming(2));
  pair.clock.advance(1_000);
  const young = textOf(pair.main.openIncoming(3));
  pair.main.failStalled(500, 'it makes no progress');
  assert.match(await waiting, /it makes no progress/);
  // This one sends as soon as it has something to send.
  await stalled.write(Buffer.from('x'));
  await stalled.end();
  assert.equal(await stalling, 'x');
  assert.equal(pair.main.streams, 1);
  pair.line.end(1000, 'the end');
  assert.match(await young, /the end/);
});
