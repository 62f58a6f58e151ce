import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import type { WebSocket } from 'ws';
import { decodeFragments, decodeFrame, encodeFrame, type Frame } from '#protocol/frames.ts';
import { MAX_FRAME_BYTES, MAX_STREAMS, WINDOW_BYTES } from '#protocol/limits.ts';
import {
  type ArrivingFromAgent,
  type FromAgent,
  fromAgentSchema,
  type FromMain,
  fromMainSchema,
} from '#protocol/messages/session.ts';
import { enrolAnswerSchema, enrolRequestSchema } from '#protocol/messages/enrolment.ts';
import { Channel } from '#wire/channel.ts';

/**
 * Frames and messages that must not be sent. `XDS_FRAMES=1000000` runs a million, `XDS_SEED=N` one run again: the
 * seed is printed.
 */
const FRAMES = Number(process.env['XDS_FRAMES'] ?? 20_000);
const SEED = Number(process.env['XDS_SEED'] ?? Date.now() % 2 ** 31);

/** mulberry32, by Tommy Ettinger (public domain): small, and the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Stands in for ws: what is sent is counted, closing is recorded. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  sent = 0;
  send(_data: unknown, done?: () => void): void {
    this.sent += 1;
    if (done) queueMicrotask(done);
  }
  close(code: number, reason: string): void {
    assert.ok(code === 1000 || code === 1008);
    assert.ok(Buffer.byteLength(reason) <= 123, 'a close frame has no room for that');
    this.#end(reason);
  }
  terminate(): void {
    this.#end('');
  }
  #end(reason: string): void {
    if (this.readyState !== 1) return;
    this.readyState = 3;
    this.emit('close', 1000, Buffer.from(reason));
  }
}

const HASH = 'ab'.repeat(32);
const FILE = {
  type: 'file',
  size: 1,
  hash: HASH,
  mtime: '1',
  mode: 0o644,
  owner: 'a',
  group: 'a',
  uid: 0,
  gid: 0,
};
const FROM_AGENT: unknown[] = [
  {
    type: 'hello',
    protocol: { oldest: 1, newest: 1 },
    version: '1',
    state: { stateId: 'x', sequence: 1 },
    directories: ['moh'],
  },
  { type: 'want-manifest', directory: 'moh' },
  { type: 'get', stream: 1, directory: 'moh', items: [{ path: 'a', hash: HASH, size: 1 }] },
  {
    type: 'offer',
    stream: 2,
    directory: 'moh',
    offers: [{ op: 'put', path: 'a', entry: FILE, expect: null, conflict: false, reason: '' }],
  },
  {
    type: 'offer',
    stream: 3,
    directory: 'moh',
    offers: [{ op: 'remove', path: 'a', expect: FILE, reason: '' }],
  },
  { type: 'answer', id: 1, ok: true, lines: ['x'] },
  { type: 'credit', stream: 1, bytes: 1000 },
  { type: 'cancel', stream: 1, reason: 'no' },
  { type: 'ping', sent: 1 },
  { type: 'knows-identity', pin: HASH },
];
const FROM_MAIN: unknown[] = [
  { type: 'manifest-begin', directory: 'moh', revision: 1, held: null, root: null },
  {
    type: 'manifest-page',
    directory: 'moh',
    items: [{ path: 'a', shown: { kind: 'settled', entry: FILE } }],
  },
  {
    type: 'changes',
    directory: 'moh',
    from: 1,
    revision: 2,
    sequence: 1,
    held: null,
    items: [{ path: 'a', shown: { kind: 'gone' } }],
  },
  { type: 'command', id: 1, command: { do: 'why', directory: 'moh', path: 'a' } },
  { type: 'next-identity', pin: HASH },
  { type: 'refused', reason: 'no' },
  { type: 'credit', stream: 1, bytes: 1 },
];
const ODD: unknown[] = [
  null,
  true,
  -1,
  -0.5,
  2 ** 53,
  1e308,
  '',
  '\0',
  '../../etc/passwd',
  '/etc/passwd',
  '\ud800',
  'x'.repeat(70_000),
  [],
  {},
  [[[[[]]]]],
  { __proto__: { polluted: true } },
  '__proto__',
  'constructor',
  Array.from({ length: 5_000 }, () => 0),
  NaN,
];

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

/** One change somewhere in a message: a value replaced, a key added or taken away. */
function mutate(random: () => number, value: unknown): unknown {
  if (random() < 0.15 || typeof value !== 'object' || value === null) return pick(random, ODD);
  if (Array.isArray(value)) {
    if (random() < 0.3) return [...value, pick(random, ODD)];
    const at = Math.floor(random() * value.length);
    return value.map((each: unknown, i) => (i === at ? mutate(random, each) : each));
  }
  const entries = Object.entries(value);
  const at = Math.floor(random() * entries.length);
  if (random() < 0.2) return Object.fromEntries(entries.filter((_, i) => i !== at));
  if (random() < 0.2)
    return {
      ...value,
      [pick(random, ['__proto__', 'constructor', 'toString', 'extra', ''])]: pick(random, ODD),
    };
  return Object.fromEntries(entries.map(([key, each], i) => [key, i === at ? mutate(random, each) : each]));
}

function randomBytes(random: () => number, most: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.floor(random() * (most + 1)));
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(random() * 256);
  return bytes;
}

function randomFrame(random: () => number): Buffer {
  const shape = random();
  if (shape < 0.2) return randomBytes(random, 12);
  const stream = pick(random, [0, 1, 2, 3, 7, MAX_STREAMS, 2 ** 31, 2 ** 32 - 1]);
  const frame: Frame =
    shape < 0.7
      ? { kind: 'data', stream, bytes: randomBytes(random, 64) }
      : shape < 0.85
        ? { kind: 'end', stream }
        : { kind: 'abort', stream, reason: randomBytes(random, 40).toString('latin1') };
  const bytes = Buffer.from(encodeFrame(frame));
  if (random() < 0.3 && bytes.length > 0)
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  if (random() < 0.1) return bytes.subarray(0, Math.floor(random() * bytes.length));
  return random() < 0.002 ? Buffer.concat([bytes, Buffer.alloc(MAX_FRAME_BYTES)]) : bytes;
}

function randomText(random: () => number, valid: readonly unknown[]): Buffer {
  const shape = random();
  if (shape < 0.1) return randomBytes(random, 60);
  let message = pick(random, valid);
  for (let changes = Math.floor(random() * 3); changes > 0; changes--) message = mutate(random, message);
  const text = JSON.stringify(message) ?? '';
  if (shape < 0.2) return Buffer.from(text.slice(0, Math.floor(random() * text.length)));
  if (shape < 0.22) return Buffer.from('['.repeat(100_000));
  return Buffer.from(text);
}

void describe(`Decoders, over ${FRAMES} frames (seed ${SEED})`, () => {
  void it('of binary frames accept exactly what they would send themselves', () => {
    const random = randomOf(SEED);
    let accepted = 0;
    for (let i = 0; i < FRAMES; i++) {
      const bytes = randomFrame(random);
      const frame = decodeFrame(bytes);
      // However it was cut up on its way. Behind the header is where this version cuts.
      const cut = random() < 0.5 ? 5 : Math.floor(random() * bytes.length);
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)].filter(({ length }) => length > 0);
      assert.deepEqual(decodeFragments(pieces), frame);
      if (frame === undefined) continue;
      accepted += 1;
      assert.ok(frame.stream > 0);
      if (frame.kind === 'data') assert.ok(frame.bytes.length > 0 && frame.bytes.length <= MAX_FRAME_BYTES);
      // A reason that is not UTF-8 comes back with replacement characters: it is only shown.
      if (frame.kind !== 'abort') assert.deepEqual(Buffer.from(encodeFrame(frame)), bytes);
    }
    assert.ok(accepted > FRAMES / 4, 'the frames were all nonsense: nothing was tested');
  });

  for (const side of ['Main', 'an agent'] as const) {
    void it(`of a whole channel of ${side} end in a stated reason or in a message that keeps to its schema, and hold little`, async () => {
      const random = randomOf(SEED + (side === 'Main' ? 1 : 2));
      let messages = 0;
      let endings = 0;
      let open: ReturnType<typeof openChannel> | undefined;
      for (let i = 0; i < FRAMES; i++) {
        open ??= openChannel(side, random);
        const { socket } = open;
        if (random() < 0.5) socket.emit('message', randomFrame(random), true);
        else socket.emit('message', randomText(random, side === 'Main' ? FROM_AGENT : FROM_MAIN), false);
        if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
        assert.ok(open.held() <= 8 * WINDOW_BYTES);
        if (socket.readyState === 1) continue;
        assert.equal(open.reasons.length, 1, 'it ended once, with one reason');
        assert.match(open.reasons[0] ?? '', /^protocol violation: ./);
        messages += open.messages.length;
        endings += 1;
        open = undefined;
      }
      assert.ok(
        messages > FRAMES / 200 && endings > FRAMES / 200,
        `${messages} messages, ${endings} endings`,
      );
      assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    });
  }

  void it('of enrolment take what keeps to the schema and nothing else', () => {
    const random = randomOf(SEED + 3);
    const requests = [
      { type: 'enrol', protocol: { oldest: 1, newest: 1 }, name: 'mds1', token: { id: 'x', proof: 'y' } },
      { type: 'renew', protocol: { oldest: 1, newest: 1 }, name: 'mds1' },
    ];
    for (let i = 0; i < FRAMES; i++) {
      const message = mutate(random, pick(random, requests));
      const parsed = enrolRequestSchema.safeParse(message);
      if (parsed.success) assert.ok(['enrol', 'renew', 'leave'].includes(parsed.data.type));
      enrolAnswerSchema.safeParse(message);
    }
  });
});

type Opened = {
  readonly socket: FakeSocket;
  readonly reasons: string[];
  readonly messages: unknown[];
  readonly held: () => number;
};

/** A channel with streams open in both directions: one that is not read, and one that is. */
function openChannel(side: 'Main' | 'an agent', random: () => number): Opened {
  const socket = new FakeSocket();
  const reasons: string[] = [];
  const messages: unknown[] = [];
  const hooks = {
    onMessage: (message: unknown): void => {
      const schema = side === 'Main' ? fromAgentSchema : fromMainSchema;
      assert.ok(schema.safeParse(message).success);
      messages.push(message);
    },
    onClose: (reason: string): void => void reasons.push(reason),
  };
  const ws = socket as unknown as WebSocket;
  const channel =
    side === 'Main'
      ? new Channel<ArrivingFromAgent, FromMain>(ws, { schema: fromAgentSchema, ...hooks })
      : new Channel<FromMain, FromAgent>(ws, { schema: fromMainSchema, ...hooks });
  let held = 0;
  const unread = channel.openIncoming(1);
  const push = unread.push.bind(unread);
  unread.push = (bytes) => {
    held += bytes.length;
    return push(bytes);
  };
  const read = channel.openIncoming(2);
  void (async () => {
    for await (const chunk of read) assert.ok(chunk.length > 0);
  })().catch(() => undefined);
  const out = channel.openOutgoing(7, 1_000);
  void out.write(randomBytes(random, 200)).catch(() => undefined);
  return { socket, reasons, messages, held: () => held };
}
