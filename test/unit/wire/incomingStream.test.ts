import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { MAX_FRAME_BYTES, WINDOW_BYTES } from '#protocol/limits.ts';
import { IncomingStream } from '#wire/incomingStream.ts';
import { RateLimit } from '#wire/rateLimit.ts';
import { ReadBuffers } from '#wire/readBuffers.ts';
import { ManualClock } from '../../support/wire/manualClock.ts';

/** The receiving end of a stream, with what it says to the sender. */
class Receiver {
  readonly clock = new ManualClock();
  readonly granted: number[] = [];
  readonly cancelled: string[] = [];
  done = 0;
  readonly stream: IncomingStream;
  readonly chunks: AsyncIterator<Uint8Array>;

  constructor(rate = 0) {
    this.stream = new IncomingStream({
      grant: (bytes) => this.granted.push(bytes),
      cancel: (reason) => this.cancelled.push(reason),
      done: () => (this.done += 1),
      pace: new RateLimit(() => rate, this.clock),
      clock: this.clock,
    });
    this.chunks = this.stream[Symbol.asyncIterator]();
  }

  push(...texts: string[]): void {
    for (const text of texts) assert.ok(this.stream.push(Buffer.from(text)));
  }

  /** Frames of a whole window. */
  pushWindow(): void {
    for (let i = 0; i < WINDOW_BYTES / MAX_FRAME_BYTES; i++)
      assert.ok(this.stream.push(Buffer.alloc(MAX_FRAME_BYTES)));
  }

  /** The next chunk; undefined at the end. */
  async next(): Promise<string | undefined> {
    const { done, value } = (await this.chunks.next()) as IteratorResult<Uint8Array, undefined>;
    return done === true ? undefined : Buffer.from(value).toString();
  }
}

void describe('A stream that is received', () => {
  void it('leaves a chunk as it is until 960 KiB from its beginning on have been taken, however fast the sender is', async () => {
    const receiver = new Receiver();
    const area = new ReadBuffers().onread.buffer();
    const held: { readonly at: number; readonly chunk: Uint8Array }[] = [];
    const lengths = new Set<number>();
    let sent = 0;
    for (let at = 0; at < 16 * 1024 * 1024;) {
      const mayBeSent = (): number => WINDOW_BYTES + receiver.granted.reduce((sum, bytes) => sum + bytes, 0);
      while (sent + area.length <= mayBeSent()) {
        assert.ok(receiver.stream.push(area.fill((sent / area.length) % 251)));
        sent += area.length;
      }
      const { value: chunk } = (await receiver.chunks.next()) as IteratorYieldResult<Uint8Array>;
      lengths.add(chunk.length);
      while (held[0] !== undefined && at - held[0].at > 960 * 1024) held.shift();
      held.push({ at, chunk });
      at += chunk.length;
      for (const { at: start, chunk: kept } of held)
        for (let i = 0; i < kept.length; i += 4096)
          assert.equal(kept[i], Math.floor((start + i) / area.length) % 251);
    }
    assert.ok(lengths.has(256 * 1024), 'chunks that lie side by side are taken together');
  });

  void it('uses the memory of another stream, once that has been released', async () => {
    const area = new ReadBuffers().onread.buffer();
    const memoryOf = async (receiver: Receiver, fill: number): Promise<ArrayBufferLike> => {
      assert.ok(receiver.stream.push(area.fill(fill)));
      const { value: chunk } = (await receiver.chunks.next()) as IteratorYieldResult<Uint8Array>;
      assert.ok(chunk.every((byte) => byte === fill));
      return chunk.buffer;
    };
    const long = new Receiver();
    while (long.stream.received <= 1024 * 1024) await memoryOf(long, 1);
    const memory = await memoryOf(long, 2);
    assert.notEqual(await memoryOf(new Receiver(), 3), memory);
    long.stream.end();
    long.stream.release();
    const next = new Receiver();
    assert.equal(await memoryOf(next, 4), memory);
    assert.equal(await memoryOf(next, 5), memory);
    assert.notEqual(await memoryOf(new Receiver(), 6), memory);
  });

  void it('gives what came, in order, and then ends', async () => {
    const receiver = new Receiver();
    receiver.push('a', 'b');
    receiver.stream.end();
    assert.deepEqual(
      [await receiver.next(), await receiver.next(), await receiver.next()],
      ['a', 'b', undefined],
    );
    assert.equal(receiver.done, 1);
    assert.equal(receiver.stream.received, 2);
  });

  void it('wakes a reader that waits: for content, for the end, for an error', async () => {
    const receiver = new Receiver();
    const first = receiver.next();
    receiver.push('a');
    assert.equal(await first, 'a');
    const second = receiver.next();
    receiver.stream.end();
    assert.equal(await second, undefined);

    const failing = new Receiver();
    const waiting = failing.next();
    failing.stream.fail('the connection was lost');
    await assert.rejects(waiting, /^Error: the connection was lost$/);
  });

  void it('gives what came before an error, and then the error that came first', async () => {
    const receiver = new Receiver();
    receiver.push('a');
    receiver.stream.fail('a file could not be read');
    receiver.stream.fail('the connection was lost');
    assert.equal(await receiver.next(), 'a');
    await assert.rejects(receiver.next(), /a file could not be read/);
  });

  void it('is cancelled once, and only while it lasts', async () => {
    const receiver = new Receiver();
    receiver.stream.cancel('x'.repeat(2_000));
    receiver.stream.cancel('again');
    assert.deepEqual(receiver.cancelled, ['x'.repeat(1_000)]);
    await assert.rejects(receiver.next(), /x/);

    const ended = new Receiver();
    ended.stream.end();
    ended.stream.cancel('too late');
    assert.deepEqual(ended.cancelled, []);
    assert.equal(await ended.next(), undefined);
  });

  void it('notices since when its reader waits in vain', async () => {
    const receiver = new Receiver();
    receiver.clock.advance(1_000);
    assert.equal(receiver.stream.waitsSince(Infinity), false, 'there is no reader');
    const first = receiver.next();
    receiver.clock.advance(500);
    assert.equal(receiver.stream.waitsSince(999), false);
    assert.equal(receiver.stream.waitsSince(1_000), true);
    receiver.push('a');
    await first;
    assert.equal(receiver.stream.waitsSince(Infinity), false, 'the reader works');
    const second = receiver.next();
    await turn();
    assert.equal(receiver.stream.waitsSince(1_499), false);
    receiver.stream.end();
    await second;
  });
});

void describe('The window of a stream', () => {
  void it('holds no byte more than was granted', async () => {
    const receiver = new Receiver();
    receiver.pushWindow();
    assert.equal(receiver.stream.push(Buffer.alloc(1)), false);
    assert.equal(receiver.stream.received, WINDOW_BYTES);
  });

  void it('opens again as far as it was read, a quarter at a time', async () => {
    const receiver = new Receiver();
    receiver.pushWindow();
    // A chunk counts as read when the next one is asked for.
    for (let i = 0; i < 4; i++) await receiver.next();
    assert.deepEqual(receiver.granted, []);
    await receiver.next();
    assert.deepEqual(receiver.granted, [WINDOW_BYTES / 4]);
    for (let i = 0; i < 4; i++) assert.ok(receiver.stream.push(Buffer.alloc(MAX_FRAME_BYTES)));
    assert.equal(receiver.stream.push(Buffer.alloc(1)), false);
  });

  void it('does not open any more once the stream is over', async () => {
    for (const over of ['end', 'fail'] as const) {
      const receiver = new Receiver();
      receiver.pushWindow();
      receiver.stream[over]('the connection was lost');
      for (let i = 0; i < WINDOW_BYTES / MAX_FRAME_BYTES; i++) await receiver.next();
      await receiver.next().catch(() => undefined);
      assert.deepEqual(receiver.granted, [], over);
    }
  });

  void it('opens no faster than the rate limit allows, and the limit holds no reader once the stream is over', async () => {
    const receiver = new Receiver(WINDOW_BYTES / 4);
    receiver.pushWindow();
    let read = 0;
    const reading = (async () => {
      for (; ; read++) await receiver.next();
    })();
    await turn();
    assert.equal(read, 1);
    for (let i = 0; i < 1_100; i += 50) {
      receiver.clock.advance(50);
      await turn();
    }
    assert.ok(read >= 4 && read <= 6, `${read} chunks in a second`);
    receiver.stream.fail('the connection was lost');
    await assert.rejects(reading, /the connection was lost/);
    assert.equal(receiver.clock.timers, 0);
  });

  void it('costs about as much memory full of frames of one byte as full of whole frames', async () => {
    const { stream } = new Receiver();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < WINDOW_BYTES; i++) assert.ok(stream.push(Buffer.of(i & 255)));
    assert.equal(stream.push(Buffer.of(1)), false, 'more than the window');
    globalThis.gc?.();
    const used = (process.memoryUsage().heapUsed - before) / 1024 / 1024;
    assert.ok(used < 64, `${used} MiB`);
    stream.end();
    let at = 0;
    for await (const chunk of stream) for (const byte of chunk) assert.equal(byte, at++ & 255);
    assert.equal(at, WINDOW_BYTES);
  });

  void it('holds little memory, however much of it the network brings and its reader is done with', async () => {
    const receiver = new Receiver();
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let frame = 0; frame < 4_096; frame++) {
      assert.ok(receiver.stream.push(Buffer.alloc(MAX_FRAME_BYTES)));
      // Without making a text of it, which would be collected as well.
      await receiver.chunks.next();
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    assert.ok(most < 16 * WINDOW_BYTES, `${Math.round(most / 1024 / 1024)} MiB at once`);
  });
});
