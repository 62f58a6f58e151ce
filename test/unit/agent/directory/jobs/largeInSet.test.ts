import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  type ArrivingFromAgent,
  fromAgentSchema,
  type FromMain,
  fromMainSchema,
} from '#protocol/messages/session.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import type { Put } from '#host/dialplan/overlay.ts';
import { Staging } from '#sync/apply/staging.ts';
import { packFiles } from '#sync/transfer/packing/packFiles.ts';
import { Channel } from '#wire/channel.ts';
import type { IncomingStream } from '#wire/incomingStream.ts';
import { judgeSet } from '../../../../../agent/asterisk/activation/lintGate.ts';
import { download, type Downloaded, type Incoming } from '../../../../../agent/directory/jobs/download.ts';
import { ApplyPlace, fileEntry } from '../../../../support/unit/applyPlace.ts';
import { readerOf } from '../../../../support/unit/dialplanReader.ts';
import { replicaOf } from '../../../../support/unit/replicaOf.ts';
import { sameBytes } from '../../../../support/unit/sameBytes.ts';
import { asWebSocket, MemoryLine } from '../../../../support/wire/memorySocket.ts';

const MIB = 1024 * 1024;
/** What a crash leaves behind: no text, and larger than any dialplan. */
const CORE = Buffer.concat([Buffer.from('\x7fELF\0\0\n'), sameBytes('core', 9 * MIB)]);
const PLAN = Buffer.from(`[support]\nexten = 1,1,NoOp()\n${'; nothing but a comment\n'.repeat(400_000)}`);
const SMALL = Buffer.from('[small]\nexten = 2,1,NoOp()\n');

/** Main with these files, connected to an MDS whose dialplan folder is empty. */
class Wire {
  readonly mds: ApplyPlace;
  readonly #folder = mkdtempSync(path.join(os.tmpdir(), 'xds-large-'));
  readonly #files: Readonly<Record<string, Buffer>>;
  readonly #main: Channel<ArrivingFromAgent, FromMain>;
  readonly #agent: Channel<FromMain, ArrivingFromAgent>;
  readonly #streams: IncomingStream[] = [];
  /** Bytes that had arrived when lint judged the set. */
  atJudgement = 0;

  constructor(t: TestContext, files: Readonly<Record<string, Buffer>>) {
    this.mds = new ApplyPlace(t);
    this.#files = files;
    t.after(() => rmSync(this.#folder, { recursive: true }));
    for (const [name, content] of Object.entries(files))
      writeFileSync(path.join(this.#folder, name), content);
    const line = new MemoryLine();
    const hooks = { onMessage: () => undefined, onClose: () => undefined };
    this.#main = new Channel(asWebSocket(line.a), { schema: fromAgentSchema, ...hooks });
    this.#agent = new Channel(asWebSocket(line.b), { schema: fromMainSchema, ...hooks });
  }

  get received(): number {
    return this.#streams.reduce((sum, { received }) => sum + received, 0);
  }

  /** Main's entry of a file. */
  entry(name: string): FileEntry {
    const content = this.#files[name] ?? Buffer.alloc(0);
    const hash = createHash('sha256').update(content).digest('hex');
    return { ...fileEntry(''), size: content.length, hash };
  }

  async download(
    t: TestContext,
    { rehearsal = false, isJudged = true }: { rehearsal?: boolean; isJudged?: boolean } = {},
  ): Promise<Downloaded> {
    const replica = await replicaOf(t, this.mds);
    const read = readerOf(t, this.mds.root);
    return download({
      directory: 'dialplan',
      items: new Map(Object.keys(this.#files).map((name) => [name, deliver(this.entry(name))])),
      session: { get: (_directory, items) => this.#send(items), mainCapabilities: new Set() },
      applier: this.mds.applier,
      replica,
      record: () => undefined,
      whole: true,
      rehearsal,
      ...(isJudged && {
        judge: (changed: ReadonlyMap<string, Put>) => {
          this.atJudgement = this.received;
          return judgeSet(read, changed, new Set(), 'block');
        },
      }),
    });
  }

  #send(items: Parameters<Parameters<typeof download>[0]['session']['get']>[1]): IncomingStream {
    const stream = this.#streams.length + 1;
    const incoming = this.#agent.openIncoming(stream);
    this.#streams.push(incoming);
    const out = this.#main.openOutgoing(stream, 1);
    const files = items.map(({ path: name, size }) => ({
      path: name,
      size,
      stamp: stampOf(statSync(path.join(this.#folder, name), { bigint: true })),
    }));
    packFiles(this.#folder, files, out).catch(() => out.abort('failed'));
    return incoming;
  }
}

function deliver(entry: FileEntry): Incoming {
  const plain = { replacesSpecial: false, content: true, drift: false };
  return { kind: 'deliver', entry, expect: undefined, reason: 'new on Main', ...plain };
}

for (const rehearsal of [false, true]) {
  const what = rehearsal ? 'a dry run' : 'a change set';
  void test(`${what} with a core file: it is refused before its content is fetched`, async (t) => {
    const wire = new Wire(t, { core: CORE, 'small.conf': SMALL });
    const { results, refused } = await wire.download(t, { rehearsal });
    assert.match(refused?.get('core') ?? '', /not text, and with 10 MiB too large to be dialplan/);
    assert.match(results.get('small.conf')?.why ?? '', /core/);
    assert.ok(wire.received < MIB, `${wire.received} bytes were received`);
  });
}

void test('a large dialplan that lint accepts is judged by its beginning, and then fetched and verified whole', async (t) => {
  const wire = new Wire(t, { 'large.conf': PLAN, 'small.conf': SMALL });
  const { results } = await wire.download(t);
  assert.deepEqual(results.get('large.conf'), { result: 'done' });
  assert.ok(readFileSync(wire.mds.at('large.conf')).equals(PLAN));
  assert.equal(wire.mds.read('small.conf'), SMALL.toString());
  const before = wire.atJudgement;
  assert.ok(
    before < MIB && before < wire.received,
    `${before} of ${wire.received} bytes before the judgement`,
  );
});

void test('a dry run does not fetch what it does not judge', async (t) => {
  const wire = new Wire(t, { 'large.conf': Buffer.concat([PLAN, sameBytes('comment', MIB)]) });
  const { results, refused } = await wire.download(t, { rehearsal: true });
  assert.deepEqual([refused, [...results]], [undefined, []]);
  assert.ok(wire.received < MIB, `${wire.received} bytes were received`);
});

void test('where no lint judges, the files that have been written are not read', async (t) => {
  const wire = new Wire(t, { 'small.wav': SMALL });
  const looks = t.mock.method(Staging.prototype, 'withFile');
  const { results } = await wire.download(t, { isJudged: false });
  assert.deepEqual(results.get('small.wav'), { result: 'done' });
  assert.equal(looks.mock.callCount(), 0);
});
