import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { decodeFrame, type Frame } from '#protocol/frames.ts';
import { type SendingStream, StreamScheduler } from '#wire/streamScheduler.ts';
import { asWebSocket, MemoryLine } from '../../support/wire/memorySocket.ts';

const FRAME = 64 * 1024;
/** Most bytes in the socket: what an urgent frame waits for at most. */
const IN_SOCKET = 256 * 1024;

/** A stream with some whole frames to send. */
class Frames implements SendingStream {
  readonly #id: number;
  #left: number;
  canSend = true;

  constructor(id: number, frames: number) {
    this.#id = id;
    this.#left = frames;
  }

  get remaining(): number {
    return this.#left * FRAME;
  }

  takeFrame(): Frame | undefined {
    if (this.#left === 0) return undefined;
    this.#left -= 1;
    if (this.#left === 0) this.canSend = false;
    return { kind: 'data', stream: this.#id, bytes: Buffer.alloc(FRAME, this.#id) };
  }
}

function held(): { line: MemoryLine; scheduler: StreamScheduler; arrived: () => Promise<number[]> } {
  const line = new MemoryLine();
  line.isHeld = true;
  for (const end of [line.a, line.b]) end.on('error', () => undefined);
  const streams: number[] = [];
  line.b.on('message', (data: Buffer) => streams.push(decodeFrame(data)?.stream ?? 0));
  const arrived = async (): Promise<number[]> => {
    line.goOn();
    do await turn();
    while (line.a.bufferedAmount > 0);
    return streams;
  };
  return { line, scheduler: new StreamScheduler(asWebSocket(line.a)), arrived };
}

void test('a small stream overtakes a large one that began before it, but for what is in the socket', async () => {
  const { line, scheduler, arrived } = held();
  scheduler.add(new Frames(1, 10));
  assert.ok(line.a.bufferedAmount >= IN_SOCKET && line.a.bufferedAmount < IN_SOCKET + FRAME);
  scheduler.add(new Frames(2, 2));
  assert.deepEqual(await arrived(), [1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 1, 1]);
});

void test('a stream that can not send now is passed over, and sends when it can', async () => {
  const { scheduler, arrived } = held();
  const small = new Frames(1, 1);
  small.canSend = false;
  scheduler.add(small);
  scheduler.add(new Frames(2, 2));
  assert.deepEqual([...(await arrived())], [2, 2]);
  small.canSend = true;
  scheduler.run();
  assert.deepEqual(await arrived(), [2, 2, 1]);
});

void test('what was removed sends nothing more', async () => {
  const { scheduler, arrived } = held();
  const stream = new Frames(1, 10);
  scheduler.add(stream);
  scheduler.remove(stream);
  assert.deepEqual(await arrived(), [1, 1, 1, 1]);
});

void test('a send that fails makes room for the next, as one that succeeds does', async () => {
  const { line, scheduler } = held();
  const stream = new Frames(1, 10);
  scheduler.add(stream);
  line.cut('reset');
  await turn();
  // The socket fails each of them at once; what is in it never adds up.
  for (let i = 0; i < 10 && stream.canSend; i++) await turn();
  assert.equal(stream.remaining, 0);
});
