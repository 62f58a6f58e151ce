import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import tar from 'tar-stream';
import {
  type ArrivingFromAgent,
  fromAgentSchema,
  type FromAgent,
  type FromMain,
  fromMainSchema,
} from '#protocol/messages/session.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import type { StagingResult } from '#core/changeSet.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { ChunkLister } from '#sync/transfer/chunkList.ts';
import { PAX_ERROR, PAX_PARTS, UNKNOWN_VERSION } from '#sync/transfer/format.ts';
import { packFiles } from '#sync/transfer/packing/packFiles.ts';
import { Channel } from '#wire/channel.ts';
import type { OutgoingStream } from '#wire/outgoingStream.ts';
import { fetchContent } from '../../../../../agent/directory/jobs/fetchContent.ts';
import { ApplyPlace } from '../../../../support/unit/applyPlace.ts';
import { replicaOf } from '../../../../support/unit/replicaOf.ts';
import { sameBytes } from '../../../../support/unit/sameBytes.ts';
import { asWebSocket, MemoryLine } from '../../../../support/wire/memorySocket.ts';

type Item = Extract<FromAgent, { type: 'get' }>['items'][number];
/** Sends what was asked for. */
type Main = (items: readonly Item[], out: OutgoingStream) => Promise<void>;

const OLD = sameBytes('old', 1_500_000);
const NEW = Buffer.concat([Buffer.from('in front'), OLD]);
const OLD_HASH = createHash('sha256').update(OLD).digest('hex');
const TWO_INSERTED = Buffer.concat([
  sameBytes('one', 300_000),
  OLD.subarray(0, 700_000),
  sameBytes('two', 300_000),
  OLD.subarray(700_000),
]);
const OLD_LIST = await (async () => {
  const lister = ChunkLister.of(OLD.length);
  lister?.add(OLD);
  const list = await lister?.end();
  assert.ok(list);
  return list;
})();
const ALL = ['chunks', 'replaces'];

/** An MDS with the old version, and a Main with a new one. */
class Pair {
  readonly mds: ApplyPlace;
  readonly #main: string;
  readonly #replica: Replica;
  readonly requests: Item[] = [];
  /** Hashes of the versions that Main knows the chunks of. */
  readonly knows = new Set([OLD_HASH]);
  readonly entry: FileEntry;

  private constructor(mds: ApplyPlace, main: string, replica: Replica, entry: FileEntry) {
    this.mds = mds;
    this.#main = main;
    this.#replica = replica;
    this.entry = entry;
  }

  static async make(t: TestContext, content = NEW): Promise<Pair> {
    const mds = new ApplyPlace(t);
    writeFileSync(mds.at('f.wav'), OLD);
    const main = mkdtempSync(path.join(os.tmpdir(), 'xds-fetch-'));
    t.after(() => rmSync(main, { recursive: true }));
    writeFileSync(path.join(main, 'f.wav'), content);
    const replica = await replicaOf(t, mds);
    const here = entryOf(replica.get('f.wav'));
    assert.ok(here?.type === 'file');
    const hash = createHash('sha256').update(content).digest('hex');
    return new Pair(mds, main, replica, { ...here, size: content.length, hash });
  }

  /** As Main sends it. */
  readonly send: Main = (items, out) =>
    packFiles(
      this.#main,
      items.map(({ path: name, size, from, base, chunks, replaces }) => ({
        path: name,
        size,
        ...(from !== undefined && { from }),
        base: replaces === undefined ? (chunks === undefined ? base : { chunks }) : { list: OLD_LIST },
        ...(replaces !== undefined && !this.knows.has(replaces) && { refusal: UNKNOWN_VERSION }),
        stamp: stampOf(statSync(path.join(this.#main, name), { bigint: true })),
      })),
      out,
    );

  async fetch(send: Main = this.send, capabilities = ['chunks']): Promise<StagingResult | undefined> {
    const hooks = { onMessage: () => undefined, onClose: () => undefined };
    const line = new MemoryLine();
    const main: Channel<ArrivingFromAgent, FromMain> = new Channel(asWebSocket(line.a), {
      schema: fromAgentSchema,
      ...hooks,
    });
    const agent: Channel<FromMain, ArrivingFromAgent> = new Channel(asWebSocket(line.b), {
      schema: fromMainSchema,
      ...hooks,
    });
    let sending: Promise<unknown> = Promise.resolve();
    let result: StagingResult | undefined;
    const session = {
      mainCapabilities: new Set(capabilities),
      get: (directory: string, items: Item[]) => {
        fromAgentSchema.parse({ type: 'get', stream: 1, directory, items });
        this.requests.push(...items);
        const stream = this.requests.length;
        const incoming = agent.openIncoming(stream);
        const out = main.openOutgoing(stream, 1);
        sending = send(items, out).catch(() => out.abort('failed'));
        this.#streams.push(incoming);
        return incoming;
      },
    };
    using staging = this.mds.applier.begin(0);
    await fetchContent(
      {
        directory: 'files',
        session,
        applier: { resumableFrom: 100_000 },
        replica: this.#replica,
        whole: false,
      },
      staging,
      [{ path: 'f.wav', entry: this.entry }],
      () => (outcome) => {
        result = outcome;
        if (outcome.result !== 'staged') return;
        const staged = staging.withFile(outcome.staged, (fd) => readFileSync(fd));
        assert.equal(createHash('sha256').update(staged).digest('hex'), this.entry.hash);
      },
    );
    await sending;
    return result;
  }

  readonly #streams: { readonly received: number }[] = [];

  /** Bytes of the streams of all transfers. */
  get received(): number {
    return this.#streams.reduce((sum, { received }) => sum + received, 0);
  }

  /** Bytes that are kept of the new version. */
  get partial(): number {
    const file = this.mds.at(`.xivo-xds-sync/partial/${this.entry.hash}`);
    return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }

  get listed(): boolean {
    return this.#replica.contents.lists.get(this.entry.hash) !== undefined;
  }

  /** The MDS knows the chunks of the version that it has. */
  listOld(): void {
    this.#replica.contents.lists.add(OLD_HASH, OLD_LIST);
  }
}

/** Sends an archive with one entry. */
const archive =
  (parts: string, content: Buffer): Main =>
  (_items, out) =>
    sendEntry({ [PAX_PARTS]: parts }, content, out);

async function sendEntry(pax: Record<string, string>, content: Buffer, out: OutgoingStream): Promise<void> {
  const pack = tar.pack();
  pack.entry({ name: '0', size: content.length, pax }, content);
  pack.finalize();
  await out.write(Buffer.of(0));
  for await (const piece of pack) await out.write(piece as Buffer);
  await out.end();
}

/** Lies when a request names chunks; any other request is answered as it should be. */
const lying =
  (pair: Pair, parts: string, content = Buffer.alloc(0)): Main =>
  (items, out) =>
    (items[0]?.chunks === undefined ? pair.send : archive(parts, content))(items, out);

/** Sends as Main does, until the connection is lost. */
const cutOff =
  (pair: Pair): Main =>
  async (items, out) => {
    let left = 450_000;
    const cut = Object.create(out, {
      isFinished: { get: () => out.isFinished },
      signal: { get: () => out.signal },
      write: {
        value: async (piece: Uint8Array, onSent?: () => void) => {
          left -= piece.length;
          if (left < 0) {
            while (pair.partial < 200_000) await turn();
            throw new Error('cut');
          }
          await out.write(piece, onSent);
        },
      },
    }) as OutgoingStream;
    await pair.send(items, cut);
  };

void test('a file that got something put in front of it costs a chunk or two', async (t) => {
  const pair = await Pair.make(t);
  assert.equal((await pair.fetch())?.result, 'staged');
  assert.ok(pair.received < 400_000, `${pair.received} bytes`);
  assert.ok(pair.listed, 'its chunks are known for the next change');
});

void test('what Main knows of the version that is here need not be read here', async (t) => {
  const pair = await Pair.make(t);
  const digest = t.mock.method(crypto.subtle, 'digest');
  assert.equal((await pair.fetch(pair.send, ALL))?.result, 'staged');
  assert.ok(pair.received < 400_000, `${pair.received} bytes`);
  const [request, ...others] = pair.requests;
  assert.ok(request?.replaces !== undefined && request.chunks === undefined && request.base === undefined);
  assert.equal(others.length, 0);
  // Those of Main's new version alone.
  assert.ok(digest.mock.callCount() < 1.2 * OLD_LIST.lengths.length, `${digest.mock.callCount()} chunks`);
});

void test('of a version that Main does not know, the chunks are named at once, and nothing is lost', async (t) => {
  const pair = await Pair.make(t, TWO_INSERTED);
  pair.knows.clear();
  await assert.rejects(pair.fetch(cutOff(pair)));
  const { partial, received } = pair;
  assert.equal((await pair.fetch(pair.send, ALL))?.result, 'staged');
  const [, refused, again] = pair.requests;
  assert.ok(refused?.replaces !== undefined && again?.replaces === undefined && again?.chunks !== undefined);
  assert.ok(refused.from === partial && again.from === partial, `from ${again.from}`);
  assert.ok(pair.received - received < 1_200_000, `${pair.received - received} bytes`);
});

void test('of a version whose chunks are known here, they are sent: Main need not know it', async (t) => {
  const pair = await Pair.make(t);
  pair.listOld();
  pair.knows.clear();
  assert.equal((await pair.fetch(pair.send, ALL))?.result, 'staged');
  const [request, ...others] = pair.requests;
  assert.ok(request?.chunks !== undefined && request.replaces === undefined);
  assert.equal(others.length, 0);
});

void test('a Main that never knows any version is asked twice, and the file fails with its reason', async (t) => {
  const pair = await Pair.make(t);
  const refuse: Main = (_items, out) => sendEntry({ [PAX_ERROR]: UNKNOWN_VERSION }, Buffer.alloc(0), out);
  assert.deepEqual(await pair.fetch(refuse, ALL), { result: 'stale', why: UNKNOWN_VERSION });
  assert.equal(pair.requests.length, 2);
});

for (const [what, parts] of [
  ['bytes that are not there', `8,5+${OLD.length}`],
  ['other bytes', `8,1+${OLD.length - 1},0+1`],
  ['bytes that make another size', '8,0+1'],
] as const) {
  void test(`of a Main that names ${what}, the whole file is asked for the next time, by no hash either`, async (t) => {
    const pair = await Pair.make(t);
    const lie: Main = (items, out) =>
      (items[0]?.replaces === undefined ? pair.send : archive(parts, Buffer.from('in front')))(items, out);
    assert.equal((await pair.fetch(lie, ALL))?.result, 'stale');
    assert.equal((await pair.fetch(lie, ALL))?.result, 'staged');
    const [, two] = pair.requests;
    assert.ok(two?.replaces === undefined && two?.chunks === undefined && two?.base === undefined);
  });
}

void test('with a Main of the last version, blocks at the same offset are compared', async (t) => {
  const changed = Buffer.from(OLD);
  changed.fill(0, 700_000, 700_100);
  const pair = await Pair.make(t, changed);
  assert.equal((await pair.fetch(pair.send, []))?.result, 'staged');
  assert.equal(pair.requests[0]?.chunks, undefined);
  assert.ok(pair.requests[0]?.base);
  assert.ok(pair.received < 300_000, `${pair.received} bytes`);
});

void test('from a Main that was asked by blocks, no parts are taken', async (t) => {
  const pair = await Pair.make(t);
  const right = archive(`8,0+${OLD.length}`, Buffer.from('in front'));
  assert.equal((await pair.fetch(right, []))?.result, 'stale');
  assert.ok(pair.requests[0]?.base);
});

void test('what has arrived is not staged any more once the directory is being closed', async (t) => {
  const pair = await Pair.make(t);
  const closing: Main = async (items, out) => {
    await pair.send(items, out);
    await pair.mds.applier.close();
  };
  await assert.rejects(pair.fetch(closing), /the directory is being closed/);
});

void test('the version that is here is not read for what it holds once the directory is being closed', async (t) => {
  for (const capabilities of [['chunks'], []]) {
    const pair = await Pair.make(t);
    await pair.mds.applier.close();
    await assert.rejects(pair.fetch(pair.send, capabilities), /the directory is being closed/);
    assert.equal(pair.requests.length, 0, 'it is not asked for');
  }
});

void test('a transfer of differences that was cut off resumes as one', async (t) => {
  const pair = await Pair.make(t, TWO_INSERTED);
  await assert.rejects(pair.fetch(cutOff(pair)));
  const before = pair.received;
  assert.equal((await pair.fetch())?.result, 'staged');
  const [, again] = pair.requests;
  assert.ok((again?.from ?? 0) >= 200_000, `from ${again?.from}`);
  assert.ok(again?.chunks !== undefined);
  // 340,000 bytes of what was inserted, and the chunks around it; the whole rest would be 1,840,000.
  assert.ok(pair.received - before < 1_200_000, `${pair.received - before} bytes`);
});

for (const [what, parts, content] of [
  ['chunks that are not there', '8,5+30000', Buffer.from('in front')],
  ['parts that make another size', '8,0+1', Buffer.from('in front')],
  ['the same chunk, for ever', Array.from({ length: 8_000 }, () => '0+1').join(), Buffer.alloc(0)],
] as const) {
  void test(`of a Main that names ${what}, the whole file is asked for the next time`, async (t) => {
    const pair = await Pair.make(t);
    const first = await pair.fetch(lying(pair, parts, content));
    assert.equal(first?.result, 'stale');
    assert.ok(pair.received < 200_000);
    assert.equal((await pair.fetch(lying(pair, parts, content)))?.result, 'staged');
    const [one, two] = pair.requests;
    assert.ok(one?.chunks !== undefined && two?.chunks === undefined && two?.base === undefined);
    assert.equal(two?.from, undefined, 'nothing of it is gone on with');
  });
}

void test('two chunks with the same digest cost one more transfer, of the whole file', async (t) => {
  const changed = Buffer.from(OLD);
  changed.fill(0, 700_000, 700_100);
  const pair = await Pair.make(t, changed);
  // What a collision looks like for both: everything is there under the digests that are asked for.
  const collision: Main = (items, out) => {
    const { chunks = '' } = items[0] ?? {};
    return lying(pair, `0+${chunks.length / 16}`)(items, out);
  };
  const first = await pair.fetch(collision);
  assert.deepEqual(first, {
    result: 'stale',
    why: 'its content is not what was announced',
    isOther: true,
  });
  assert.equal((await pair.fetch(collision))?.result, 'staged');
  assert.deepEqual(
    pair.requests.map(({ chunks }) => chunks === undefined),
    [false, true],
  );
  assert.deepEqual(readdirSync(pair.mds.at('.xivo-xds-sync/partial')), []);
});
