import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Offer } from '#protocol/messages/common.ts';
import type { ChangeSet } from '#core/changeSet.ts';
import type { Entry, FileEntry } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { StagedFile } from '#sync/apply/stagedFile.ts';
import { packFiles } from '#sync/transfer/packing/packFiles.ts';
import { acceptOffers, onMain, type Taking } from '../../../../../controller/sessions/offers/accept.ts';
import { hasContent } from '../../../../../controller/sessions/offers/check.ts';
import { ApplyPlace, fileEntry } from '../../../../support/unit/applyPlace.ts';
import { LARGE_FROM, MainPlace } from '../../../../support/unit/mainDirectory.ts';
import { sameBytes } from '../../../../support/unit/sameBytes.ts';
import { streamPair } from '../../../../support/unit/streamPair.ts';

const reason = 'changed there';
const put = (path: string, content: string, expect: Entry | null = null): Offer => ({
  op: 'put',
  path,
  entry: fileEntry(content),
  expect,
  conflict: false,
  reason,
});

/** An MDS that offers, and sends its files as they were offered, or these instead. */
class Mds {
  readonly #place: ApplyPlace;
  readonly #main: MainPlace;
  changeSet: ChangeSet | undefined;

  constructor(t: TestContext, main: MainPlace) {
    this.#place = new ApplyPlace(t);
    this.#main = main;
  }

  /** @param cutAt bytes after which the connection is lost */
  async offers(
    offers: readonly Offer[],
    contents: readonly (string | Buffer)[] = [],
    { cutAt = Infinity, ...taking }: Partial<Taking> & { cutAt?: number } = {},
  ): Promise<string[]> {
    const files = offers.filter(hasContent).map(({ entry, from }, number) => {
      const name = String(number);
      writeFileSync(this.#place.at(name), contents[number] ?? '');
      return {
        path: name,
        size: entry.size,
        stamp: this.#place.stamp(name),
        ...(from !== undefined && { from }),
      };
    });
    const { stream, out } = streamPair();
    let left = cutAt;
    const cut = Object.create(out, {
      write: {
        value: async (bytes: Uint8Array, onSent?: () => void) => {
          left -= bytes.length;
          if (left < 0) throw new Error('the connection was lost');
          await out.write(bytes, onSent);
          // What has arrived is taken before the rest comes.
          await turn();
        },
      },
    }) as typeof out;
    const sent = files.length === 0 ? Promise.resolve() : packFiles(this.#place.root, files, cut);
    sent.catch((error: unknown) => stream.fail(String(error)));
    const { results } = await acceptOffers(this.#main.directory, offers, stream, {
      mds: 'mds1',
      owners: this.#main.owners,
      record: (changeSet) => (this.changeSet = changeSet),
      ...taking,
    });
    await sent;
    return results.map(({ path, result, detail }) =>
      [`${path}: ${result}`, ...(detail === undefined ? [] : [detail])].join(' '),
    );
  }
}

async function make(
  t: TestContext,
  files: Readonly<Record<string, string>> = { kept: 'kept' },
  config: Parameters<typeof MainPlace.make>[1] = {},
): Promise<{ main: MainPlace; mds: Mds; here: (path: string) => FileEntry }> {
  const main = await MainPlace.make(t, config, files);
  const here = (path: string): FileEntry => {
    const entry = entryOf(main.directory.replica.get(path));
    assert.ok(entry?.type === 'file', `${path} is not there`);
    return entry;
  };
  return { main, mds: new Mds(t, main), here };
}

void test('what an MDS offers becomes visible as one change set, and what that replaces is in the trash', async (t) => {
  const { main, mds, here } = await make(t, { a: 'old', gone: 'gone', mode: 'mode' });
  const mode: Entry = { ...here('mode'), mode: 0o600 };
  const results = await mds.offers(
    [
      put('new', 'brand new'),
      put('a', 'newer', here('a')),
      { op: 'keep', path: 'a', entry: fileEntry('loser'), reason: 'lost' },
      { op: 'metadata', path: 'mode', entry: mode, expect: here('mode'), reason },
      { op: 'remove', path: 'gone', expect: here('gone'), reason },
    ],
    ['brand new', 'newer', 'loser'],
  );
  assert.deepEqual(results, ['new: done', 'a: done', 'a: done', 'mode: done', 'gone: done']);
  assert.equal(readFileSync(main.at('new'), 'utf8'), 'brand new');
  assert.equal(readFileSync(main.at('a'), 'utf8'), 'newer');
  assert.equal(statSync(main.at('mode')).mode & 0o777, 0o600);
  assert.ok(!existsSync(main.at('gone')));
  assert.equal(mds.changeSet?.steps.length, 5);
  assert.equal(mds.changeSet.mds, 'mds1');
  assert.deepEqual((await main.trash()).map(([path]) => path).toSorted(), ['a', 'a', 'gone']);
});

void test('an offer that is refused or came too late hinders no other, and its content is not mistaken for theirs', async (t) => {
  const { main, mds } = await make(t, { a: 'on Main' });
  const results = await mds.offers(
    [put('../out', 'first'), put('a', 'second', fileEntry('older than Main has')), put('b', 'third')],
    ['first', 'second', 'third'],
  );
  assert.match(results[0] ?? '', /^\.\.\/out: refused .*part/);
  assert.equal(results[1], "a: stale Main's changed meanwhile");
  assert.equal(results[2], 'b: done');
  assert.equal(readFileSync(main.at('b'), 'utf8'), 'third');
  assert.equal(readFileSync(main.at('a'), 'utf8'), 'on Main');
});

void test('when all is refused, the content is read all the same, and no change set is made', async (t) => {
  const { main, mds } = await make(t, {}, { direction: 'to-mds' });
  assert.match((await mds.offers([put('a', 'content')], ['content']))[0] ?? '', /^a: refused an MDS may not/);
  assert.equal(mds.changeSet, undefined);
  assert.deepEqual(await mds.offers([put('a', 'content')], ['content'], { isGranted: true }), ['a: done']);
  assert.equal(readFileSync(main.at('a'), 'utf8'), 'content');
});

void test('content that is not what was announced is not taken, and said to be a problem of Main’s copy', async (t) => {
  const { main, mds } = await make(t);
  const results = await mds.offers([put('a', 'announced'), put('b', 'as said')], ['something', 'as said']);
  assert.equal(results[0], 'a: stale on Main: its content is not what was announced');
  assert.equal(results[1], 'b: done');
  assert.ok(!existsSync(main.at('a')));
});

void test('a file that Main changed while its content arrived stays as it is', async (t) => {
  const { main, mds, here } = await make(t, { a: 'old' });
  const offer = put('a', 'from the MDS', here('a'));
  // Main's own edit comes after the check and before the change set.
  const offers = mds.offers([offer], ['from the MDS']);
  main.write('a', 'edited on Main');
  await main.directory.replica.recheck(['a']);
  const [result] = await offers;
  assert.match(result ?? '', /^a: stale/);
  assert.equal(readFileSync(main.at('a'), 'utf8'), 'edited on Main');
});

void test('a directory is not filled beyond its limit: by one offer, by all of a set, or by sets at the same time', async (t) => {
  const { main, mds } = await make(t, { a: '1234567890' }, { maxBytes: 30 });
  const ten = (name: string): Offer => put(name, '1234567890');
  const limit = /refused "files" would exceed its maxBytes \(30\)/;
  assert.match((await mds.offers([put('b', 'x'.repeat(21))], ['x'.repeat(21)]))[0] ?? '', limit);
  main.directory.promised = 15;
  assert.match((await mds.offers([ten('b')], ['1234567890']))[0] ?? '', limit);
  main.directory.promised = 0;
  const [one, two, three] = await mds.offers(
    ['b', 'c', 'd'].map(ten),
    Array.from({ length: 3 }, () => '1234567890'),
  );
  assert.deepEqual([one, two], ['b: done', 'c: done']);
  assert.match(three ?? '', limit);
  assert.equal(main.directory.promised, 0);
});

void test('an MDS fills no more of the trash than a directory may hold', async (t) => {
  const { main, mds, here } = await make(t, { a: 'old', b: 'old' }, { maxBytes: 20_000 });
  assert.deepEqual(await mds.offers([put('a', 'new', here('a'))], ['new']), ['a: done']);
  assert.match(
    (await mds.offers([{ op: 'remove', path: 'b', expect: here('b'), reason }]))[0] ?? '',
    /^b: refused what mds1 replaced and removed in "files" fills its part of Main's trash/,
  );
  assert.ok(existsSync(main.at('b')));
  assert.deepEqual(
    await mds.offers([{ op: 'remove', path: 'b', expect: here('b'), reason }], [], { mds: 'mds2' }),
    ['b: done'],
    'another MDS has its own part',
  );
});

void test('when the connection is lost nothing is visible, and nothing stays reserved', async (t) => {
  const { main, mds, here } = await make(t, { a: 'old' }, { maxBytes: 100_000 });
  const content = sameBytes('new', 4_500).toString('hex');
  const offers = [put('a', content, here('a'))];
  await assert.rejects(mds.offers(offers, [content], { cutAt: 600 }), /the connection was lost/);
  assert.equal(readFileSync(main.at('a'), 'utf8'), 'old');
  assert.equal(main.directory.promised, 0);
  assert.equal(main.directory.trashShares?.of('mds1'), 0);
});

void test('a large file that was cut off is gone on with from what Main has of it, and from nowhere else', async (t) => {
  const { main, mds } = await make(t);
  const content = sameBytes('large', 2 * LARGE_FROM);
  const hash = createHash('sha256').update(content).digest('hex');
  const offer = (from?: number): Offer => ({
    op: 'put',
    path: 'large.wav',
    entry: { ...fileEntry(''), size: content.length, hash },
    expect: null,
    conflict: false,
    reason,
    ...(from !== undefined && { from }),
  });
  await assert.rejects(mds.offers([offer()], [content], { cutAt: LARGE_FROM + 50_000 }));
  const from = main.directory.applier.resumeOffset(hash);
  assert.ok(from >= LARGE_FROM - 66_000, `${from} bytes`);
  assert.match(
    (await mds.offers([offer(from - 1)], [content]))[0] ?? '',
    /stale Main's partial copy has changed/,
  );
  assert.deepEqual(await mds.offers([offer(from)], [content]), ['large.wav: done']);
  assert.ok(readFileSync(main.at('large.wav')).equals(content));
});

void test('what has arrived is neither staged nor made visible once the directory is being closed', async (t) => {
  const { main, mds, here } = await make(t);
  const write = t.mock.method(StagedFile.prototype, 'write');
  await main.directory.applier.close();
  const offered = mds.offers([put('new', 'new'), put('newer', 'newer')], ['new', 'newer']);
  await assert.rejects(offered, /the directory is being closed/);
  assert.equal(write.mock.callCount(), 0);
  const remove: Offer = { op: 'remove', path: 'kept', expect: here('kept'), reason };
  await assert.rejects(mds.offers([remove]), /the directory is being closed/);
  assert.ok(existsSync(main.at('kept')));
});

void test('what there is of a large file is not read to its end once the directory is being closed, and stays', async (t) => {
  const { main, mds } = await make(t);
  const content = sameBytes('large', 2 * LARGE_FROM);
  const hash = createHash('sha256').update(content).digest('hex');
  const large = { ...put('large.wav', ''), entry: { ...fileEntry(''), size: content.length, hash } } as Offer;
  await assert.rejects(mds.offers([large], [content], { cutAt: LARGE_FROM + 50_000 }));
  const from = main.directory.applier.resumeOffset(hash);
  assert.ok(from > 0);
  await main.directory.applier.close();
  await assert.rejects(mds.offers([{ ...large, from } as Offer], [content]), /the directory is being closed/);
  assert.equal(main.directory.applier.resumeOffset(hash), from);
});

void test('an error names Main, where it happened, and what to do', () => {
  assert.match(onMain('ENOSPC'), /^on Main: ENOSPC: no room/);
  assert.equal(onMain('something else'), 'on Main: something else');
});
