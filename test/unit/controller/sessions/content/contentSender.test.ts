import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import type { FromAgent } from '#protocol/messages/session.ts';
import { createLogger } from '#host/log/logger.ts';
import { ChunkLister } from '#sync/transfer/chunkList.ts';
import { UNKNOWN_VERSION } from '#sync/transfer/format.ts';
import { type Sent, unpackFiles } from '#sync/transfer/unpack.ts';
import { sendContent } from '../../../../../controller/sessions/content/contentSender.ts';
import { Traffic } from '../../../../../controller/sessions/content/traffic.ts';
import { MainPlace } from '../../../../support/unit/mainDirectory.ts';
import { sameBytes } from '../../../../support/unit/sameBytes.ts';
import { streamPair } from '../../../../support/unit/streamPair.ts';
import { ManualClock } from '../../../../support/wire/manualClock.ts';

const OLD = sameBytes('old', 1_500_000);
const IN_FRONT = Buffer.from('in front');
const NEW = Buffer.concat([IN_FRONT, OLD]);
const hashOf = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

type Item = { path: string; hash: string; size: number; replaces?: string | undefined; chunks?: string };
type Received = { sent: Sent | undefined; bytes: number; refusal: string | undefined };

/** A Main with the new version that remembers the chunks of the old one. */
async function make(
  t: TestContext,
): Promise<{ main: MainPlace; ask: (item: Partial<Item>) => Promise<Received> }> {
  const main = await MainPlace.make(t);
  writeFileSync(main.at('f.wav'), NEW);
  await main.directory.readAgain();
  const lister = ChunkLister.of(OLD.length);
  lister?.add(OLD);
  const list = await lister?.end();
  assert.ok(list);
  const { lists } = main.directory.replica.contents;
  lists.add(hashOf(OLD), list);
  lists.add('d'.repeat(64), { ...list, usual: 2 * list.usual });
  const ask = async (changed: Partial<Item>): Promise<Received> => {
    const item = { path: 'f.wav', hash: hashOf(NEW), size: NEW.length, replaces: hashOf(OLD), ...changed };
    const { stream, out } = streamPair();
    const clock = new ManualClock();
    const traffic = new Traffic(() => clock.monotonic());
    const log = createLogger('debug', ({ event }) => assert.fail(event));
    const request = { type: 'get', stream: 1, directory: 'files', items: [item] } satisfies FromAgent;
    const sending = sendContent(main.directory, request, () => out, { mds: 'mds1', traffic, log });
    const received: Received = { sent: undefined, bytes: 0, refusal: undefined };
    await unpackFiles(stream, [item.size], (_number, sent) => {
      received.sent = sent;
      return {
        write: (piece) => void (received.bytes += piece.length),
        end: () => undefined,
        refuse: (why) => (received.refusal = why),
      };
    });
    await sending;
    return received;
  };
  return { main, ask };
}

void test('what differs from a version that Main knows is sent, and the rest is named by its bytes', async (t) => {
  const { ask } = await make(t);
  const { sent, bytes, refusal } = await ask({});
  assert.equal(refusal, undefined);
  assert.ok(bytes > 0 && bytes < 300_000, `${bytes} bytes`);
  assert.ok(sent !== undefined && 'parts' in sent);
  // The first chunk is another one; of the old version all after it is kept.
  assert.deepEqual(sent.parts, [
    { bytes },
    { chunk: bytes - IN_FRONT.length, count: OLD.length - (bytes - IN_FRONT.length) },
  ]);
});

for (const [what, changed] of [
  ['of a hash that it has never seen', { replaces: 'e'.repeat(64) }],
  ['of a hash that it has never seen, whatever else is said of it', { replaces: 'e'.repeat(64), chunks: '' }],
  ['whose chunks are of another length', { replaces: 'd'.repeat(64) }],
] as const) {
  void test(`Main refuses a version ${what}, and sends nothing`, async (t) => {
    const { ask } = await make(t);
    const { sent, bytes, refusal } = await ask(changed);
    assert.deepEqual({ sent, bytes, refusal }, { sent: undefined, bytes: 0, refusal: UNKNOWN_VERSION });
  });
}

void test('that the file has changed is said first: to name its chunks would not help', async (t) => {
  const { ask } = await make(t);
  const { refusal } = await ask({ hash: 'f'.repeat(64), replaces: 'e'.repeat(64) });
  assert.equal(refusal, 'changed on Main');
});

void test('a version is known in its own directory alone', async (t) => {
  const { main } = await make(t);
  const { ask } = await make(t);
  main.directory.replica.contents.lists.add('c'.repeat(64), {
    usual: 65_536,
    digests: '',
    lengths: new Uint32Array(),
  });
  assert.equal((await ask({ replaces: 'c'.repeat(64) })).refusal, UNKNOWN_VERSION);
});

void test('the chunks of a file are looked up only where a difference is wanted', async (t) => {
  const { main, ask } = await make(t);
  const lookups = t.mock.method(main.directory.replica.contents.lists, 'get').mock;
  assert.equal((await ask({ replaces: undefined })).bytes, NEW.length);
  assert.equal(lookups.callCount(), 0);
  await ask({});
  assert.deepEqual(
    lookups.calls.map(({ arguments: [hash] }) => hash),
    [hashOf(OLD), hashOf(NEW)],
  );
});
