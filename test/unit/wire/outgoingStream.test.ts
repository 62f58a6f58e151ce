import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { decodeFrame, type Frame } from '#protocol/frames.ts';
import { MAX_FRAME_BYTES, WINDOW_BYTES } from '#protocol/limits.ts';
import { OutgoingStream } from '#wire/outgoingStream.ts';
import { RateLimit } from '#wire/rateLimit.ts';
import { StreamScheduler } from '#wire/streamScheduler.ts';
import { ManualClock } from '../../support/wire/manualClock.ts';
import { asWebSocket, MemoryLine } from '../../support/wire/memorySocket.ts';

const KIB = 1024;
/** What a stream takes before its writer has to wait. */
const QUEUE = 256 * KIB;

/** A stream over a line in memory, and the frames that arrive at its other end. */
class Sender {
  readonly line = new MemoryLine();
  readonly clock = new ManualClock();
  readonly pump = new StreamScheduler(asWebSocket(this.line.a));
  readonly frames: Frame[] = [];
  readonly stream: OutgoingStream;
  done = 0;

  constructor(rate = 0) {
    this.line.b.on('message', (data: Buffer) => {
      const frame = decodeFrame(data);
      assert.ok(frame !== undefined);
      this.frames.push(frame);
    });
    for (const end of [this.line.a, this.line.b]) end.on('error', () => undefined);
    const pace = new RateLimit(() => rate, this.clock);
    const options = { id: 7, bytes: 1, pump: this.pump, clock: this.clock, pace };
    this.stream = new OutgoingStream(options, () => (this.done += 1));
  }

  /** All that is in the socket arrives. */
  async delivered(): Promise<void> {
    do await turn();
    while (this.line.a.bufferedAmount > 0);
  }

  get kinds(): string[] {
    return this.frames.map(({ kind }) => kind);
  }

  get sizes(): number[] {
    return this.frames.map((frame) => (frame.kind === 'data' ? frame.bytes.length : 0));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.frames.map((frame) => (frame.kind === 'data' ? frame.bytes : Buffer.alloc(0))));
  }

  /** Writes so many KiB, in pieces that fill a frame. */
  async fill(bytes: number): Promise<void> {
    for (let at = 0; at < bytes; at += MAX_FRAME_BYTES) {
      await this.stream.write(Buffer.alloc(Math.min(MAX_FRAME_BYTES, bytes - at)));
      await this.delivered();
    }
  }
}

/** Whether a promise has settled by now. */
async function isOver(work: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => void (settled = true);
  work.then(settle, settle);
  await turn();
  return settled;
}

void describe('A stream that is sent', () => {
  void it('arrives whole and in order, in frames of at most 64 KiB, with its end behind it', async () => {
    const sender = new Sender();
    const sizes = [1, 100, 0, 16 * KIB, MAX_FRAME_BYTES, MAX_FRAME_BYTES + 1, 200_000];
    const pieces = sizes.map((size, number) => Buffer.alloc(size, number + 1));
    for (const piece of pieces) await sender.stream.write(piece);
    await sender.stream.end();
    await sender.delivered();
    assert.deepEqual(sender.bytes, Buffer.concat(pieces));
    assert.ok(sender.sizes.slice(0, -1).every((size) => size > 0 && size <= MAX_FRAME_BYTES));
    assert.deepEqual(sender.frames.at(-1), { kind: 'end', stream: 7 });
    assert.equal(sender.kinds.indexOf('end'), sender.kinds.length - 1);
    assert.equal(sender.done, 1);
    assert.ok(sender.stream.isFinished);
  });

  void it('that is empty is an end', async () => {
    const sender = new Sender();
    await sender.stream.end();
    await sender.delivered();
    assert.deepEqual(sender.frames, [{ kind: 'end', stream: 7 }]);
  });

  void it('gathers small pieces into whole frames', async () => {
    const sender = new Sender();
    for (let i = 0; i < 1_000; i++) await sender.stream.write(Buffer.alloc(100, i));
    await sender.stream.end();
    await sender.delivered();
    assert.ok(sender.frames.length <= 4, `${sender.frames.length} frames`);
    assert.ok(sender.bytes.every((byte, at) => byte === (Math.floor(at / 100) & 255)));
  });

  void it('does not cut a piece to fill up a frame that is large enough', async () => {
    const sender = new Sender();
    for (const size of [16 * KIB, 60 * KIB, 10 * KIB, 60 * KIB])
      await sender.stream.write(Buffer.alloc(size));
    await sender.stream.end();
    await sender.delivered();
    assert.deepEqual(sender.sizes, [16 * KIB, 60 * KIB, MAX_FRAME_BYTES, 6 * KIB, 0]);
  });

  void it('does not copy a piece that makes a frame by itself', async () => {
    const { stream } = new Sender();
    const piece = Buffer.alloc(40 * KIB);
    await stream.write(piece);
    const frame = stream.takeFrame();
    assert.ok(frame.kind === 'data' && frame.bytes.buffer === piece.buffer);
  });

  void it('tells how much of it is left, and never less than nothing', async () => {
    const sender = new Sender();
    assert.equal(sender.stream.remaining, 1);
    await sender.fill(MAX_FRAME_BYTES);
    assert.equal(sender.stream.remaining, 0);
  });
});

void describe('The credit of a receiver', () => {
  void it('is never exceeded, and what is more waits in the writer', async () => {
    const sender = new Sender();
    await sender.fill(WINDOW_BYTES + QUEUE);
    assert.equal(sender.bytes.length, WINDOW_BYTES);
    const waiting = sender.stream.write(Buffer.alloc(10));
    assert.equal(await isOver(waiting), false);
    sender.stream.credit(9);
    await sender.delivered();
    assert.equal(await isOver(waiting), false, 'there is one byte too many');
    sender.stream.credit(1);
    await sender.delivered();
    await waiting;
    assert.equal(sender.bytes.length, WINDOW_BYTES + 10);
    sender.stream.credit(QUEUE);
    await sender.delivered();
    assert.equal(sender.bytes.length, WINDOW_BYTES + 10 + QUEUE);
  });

  void it('is not needed for the end, which waits for the last byte alone', async () => {
    const sender = new Sender();
    await sender.fill(WINDOW_BYTES);
    await sender.stream.end();
    await sender.delivered();
    assert.equal(sender.kinds.at(-1), 'end');

    const other = new Sender();
    await other.fill(WINDOW_BYTES + 1);
    const ended = other.stream.end();
    assert.equal(await isOver(ended), false);
    assert.ok(!other.kinds.includes('end'));
    other.stream.credit(1);
    await ended;
    await other.delivered();
    assert.deepEqual([other.sizes.at(-2), other.kinds.at(-1)], [1, 'end']);
  });

  void it('that does not come is noticed: since when it is missing', async () => {
    const sender = new Sender();
    sender.clock.advance(1_000);
    await sender.fill(WINDOW_BYTES);
    assert.equal(sender.stream.waitsSince(5_000), false, 'nothing waits for it');
    await sender.stream.write(Buffer.alloc(10));
    sender.clock.advance(1_000);
    assert.equal(sender.stream.waitsSince(999), false);
    assert.equal(sender.stream.waitsSince(1_000), true);
    // One byte is progress, too.
    sender.stream.credit(1);
    await sender.delivered();
    assert.equal(sender.stream.waitsSince(1_999), false);
    assert.equal(sender.stream.waitsSince(2_000), true);
    sender.stream.credit(WINDOW_BYTES);
    await sender.delivered();
    assert.equal(sender.stream.waitsSince(Infinity), false);
  });
});

void describe('A stream that fails', () => {
  void it('ends a write that waits, and every later one, with the reason; nothing more is sent', async () => {
    const sender = new Sender();
    await sender.fill(WINDOW_BYTES + QUEUE);
    const frames = sender.frames.length;
    const waiting = sender.stream.write(Buffer.alloc(10));
    assert.equal(sender.stream.signal.aborted, false);
    sender.stream.fail('the other side cancelled: enough');
    assert.equal(sender.stream.signal.aborted, true);
    sender.stream.fail('the connection was lost');
    await assert.rejects(waiting, /^Error: the other side cancelled: enough$/);
    await assert.rejects(sender.stream.write(Buffer.alloc(1)), /enough/);
    await assert.rejects(sender.stream.end(), /enough/);
    sender.stream.credit(WINDOW_BYTES);
    await sender.delivered();
    assert.equal(sender.frames.length, frames);
    assert.equal(sender.done, 1);
  });

  void it('ends the wait for its end', async () => {
    const sender = new Sender();
    await sender.fill(WINDOW_BYTES + 1);
    const ended = sender.stream.end();
    sender.stream.fail('the connection was lost');
    await assert.rejects(ended, /the connection was lost/);
  });

  void it('is over for the receiver, too, when this side gives it up; an end can not be taken back', async () => {
    const sender = new Sender();
    await sender.stream.write(Buffer.alloc(10));
    sender.stream.abort('x'.repeat(300));
    await assert.rejects(sender.stream.write(Buffer.alloc(1)), /x/);
    await sender.delivered();
    assert.deepEqual(sender.frames, [{ kind: 'abort', stream: 7, reason: 'x'.repeat(200) }]);

    const ended = new Sender();
    await ended.stream.end();
    ended.stream.abort('too late');
    await ended.delivered();
    assert.deepEqual(ended.kinds, ['end']);
    assert.equal(ended.done, 1);
  });

  void it('waits no longer for the rate limit', async () => {
    const sender = new Sender(1_000);
    const waiting = sender.stream.write(Buffer.alloc(100_000));
    assert.equal(await isOver(waiting), false);
    sender.stream.fail('the connection was lost');
    await assert.rejects(waiting, /the connection was lost/);
    await sender.delivered();
    assert.deepEqual(sender.frames, []);
    assert.equal(sender.clock.timers, 0);
  });
});

void describe('A buffer that is lent to a stream', () => {
  void it('comes back once, when the last of it has left the socket', async () => {
    const sender = new Sender();
    sender.line.isHeld = true;
    const returned: string[] = [];
    await sender.stream.write(Buffer.alloc(100 * KIB), () => returned.push('large'));
    await sender.stream.write(Buffer.alloc(10), () => returned.push('small'));
    await sender.stream.write(Buffer.alloc(0), () => returned.push('empty'));
    await turn();
    assert.deepEqual(returned, ['empty']);
    sender.line.goOn();
    await sender.stream.end();
    await sender.delivered();
    assert.deepEqual(returned, ['empty', 'large', 'small']);
  });

  void it('never comes back when it may still be in the socket, or was not sent', async () => {
    const sender = new Sender();
    sender.line.isHeld = true;
    let returned = 0;
    for (let i = 0; i < 6; i++)
      await sender.stream.write(Buffer.alloc(MAX_FRAME_BYTES), () => (returned += 1));
    sender.line.cut('reset');
    sender.stream.fail('the connection was lost');
    await turn();
    assert.equal(returned, 0);
  });
});
