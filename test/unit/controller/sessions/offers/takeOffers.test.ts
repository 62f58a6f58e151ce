import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import type { Offer } from '#protocol/messages/common.ts';
import { fromAgentSchema, type FromMain, fromMainSchema } from '#protocol/messages/session.ts';
import type { ChangeSet, Outcome } from '#core/changeSet.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { createLogger } from '#host/log/logger.ts';
import { packFiles } from '#sync/transfer/packing/packFiles.ts';
import { hasContent } from '../../../../../controller/sessions/offers/check.ts';
import type { Grant } from '../../../../../controller/sessions/offers/grant.ts';
import { takeOffers, type TakingOptions } from '../../../../../controller/sessions/offers/takeOffers.ts';
import { Traffic } from '../../../../../controller/sessions/content/traffic.ts';
import { ApplyPlace, fileEntry } from '../../../../support/unit/applyPlace.ts';
import { MainPlace } from '../../../../support/unit/mainDirectory.ts';
import { streamPair } from '../../../../support/unit/streamPair.ts';
import { ManualClock } from '../../../../support/wire/manualClock.ts';

const STREAM = 7;
const put = (path: string, content: string, more: Partial<Offer & { op: 'put' }> = {}): Offer => ({
  op: 'put',
  path,
  entry: fileEntry(content),
  expect: null,
  conflict: false,
  reason: 'says the MDS',
  ...more,
});

/** Main's end of a connection on which an MDS offers. */
class Line {
  readonly said: FromMain[] = [];
  readonly violations: string[] = [];
  readonly warnings: string[] = [];
  readonly clock = new ManualClock();
  readonly traffic = new Traffic(() => this.clock.monotonic());
  readonly wire = streamPair();
  /** What was recorded, with the paths that were conflicts. */
  readonly recorded: {
    changeSet: ChangeSet;
    outcomes: readonly Outcome[];
    conflicts: ReadonlySet<string>;
  }[] = [];
  readonly #main: MainPlace;
  readonly #mds: ApplyPlace;

  constructor(t: TestContext, main: MainPlace) {
    this.#main = main;
    this.#mds = new ApplyPlace(t);
  }

  async takes(
    offers: readonly unknown[],
    contents: readonly string[] = [],
    options: Partial<TakingOptions> = {},
  ): Promise<{ path: string; result: string; detail?: string | undefined }[]> {
    const request = fromAgentSchema.parse({ type: 'offer', stream: STREAM, directory: 'files', offers });
    assert.ok(request.type === 'offer');
    const files = (offers as Offer[]).filter(hasContent).map(({ entry }, number) => {
      const name = String(number);
      writeFileSync(this.#mds.at(name), contents[number] ?? '');
      return { path: name, size: entry.size, stamp: this.#mds.stamp(name) };
    });
    if (contents.length > 0) packFiles(this.#mds.root, files, this.wire.out).catch(() => undefined);
    await takeOffers(this.#main.directory, request, {
      mds: 'mds1',
      host: {
        clock: this.clock,
        log: createLogger('warn', ({ event }) => this.warnings.push(event)),
        owners: this.#main.owners,
      },
      line: {
        openIncoming: () => this.wire.stream,
        send: (message) => this.said.push(fromMainSchema.parse(message)),
        violation: (what) => this.violations.push(what),
      },
      traffic: this.traffic,
      isUrgent: false,
      clockOffset: () => 5_000_000_000n,
      grant: undefined,
      recorder: (conflicts) => (changeSet, outcomes) =>
        this.recorded.push({ changeSet, outcomes, conflicts }),
      ...options,
    });
    const [answer] = this.said.splice(0);
    assert.ok(answer?.type === 'offer-result' && answer.stream === STREAM, 'each set is answered once');
    return answer.results;
  }
}

async function make(
  t: TestContext,
  config: Parameters<typeof MainPlace.make>[1] = {},
): Promise<{ main: MainPlace; line: Line }> {
  const main = await MainPlace.make(t, config, { kept: 'kept' });
  return { main, line: new Line(t, main) };
}

void test('what was taken is answered, recorded with its conflicts, and published under its MDS and change set', async (t) => {
  const { main, line } = await make(t);
  const keep: Offer = { op: 'keep', path: 'c', entry: fileEntry('loser'), reason: 'lost' };
  const results = await line.takes(
    [put('a', 'one'), put('b', 'two', { conflict: true }), keep],
    ['one', 'two', 'loser'],
  );
  assert.deepEqual(
    results.map(({ path, result }) => `${path} ${result}`),
    ['a done', 'b done', 'c done'],
  );
  const [{ changeSet, conflicts } = assert.fail('nothing was recorded')] = line.recorded;
  assert.deepEqual([...conflicts], ['b', 'c']);
  assert.deepEqual(main.directory.originators.of('a'), { actor: 'mds1', save: changeSet.id });
  assert.deepEqual(
    main.revisions.flatMap(({ items }) => items.map(({ path }) => path)).filter((path) => path !== 'kept'),
    ['a', 'b'],
  );
  const entry = entryOf(main.directory.replica.get('a'));
  assert.equal(entry && main.directory.mtimeClocks.clockOf('a', entry), '5000000000', 'the clock of its MDS');
  assert.deepEqual(line.traffic.transfers, []);
  assert.equal(line.traffic.travelled('files'), 'onetwoloser'.length);
  assert.deepEqual(line.violations, []);
  assert.equal(line.clock.timers, 0);
});

void test('a set with an offer that Main does not understand is refused with its content, unread', async (t) => {
  const { line, main } = await make(t);
  const results = await line.takes([put('a', 'one'), { ...put('b', 'two'), op: 'teleport' }]);
  assert.deepEqual(
    results.map(({ result }) => result),
    ['refused', 'refused'],
  );
  assert.deepEqual(line.wire.cancelled, ['an offer is invalid']);
  assert.deepEqual(line.recorded, []);
  assert.equal(main.directory.replica.get('a'), undefined);
});

void test('such a set on a stream that is in use already is a violation', async (t) => {
  const { line } = await make(t);
  await assert.rejects(
    line.takes([{ op: 'teleport' }], [], {
      line: {
        openIncoming: () => {
          throw new Error('stream 7 is in use');
        },
        send: () => assert.fail('it was answered'),
        violation: (what) => line.violations.push(what),
      },
    }),
    /each set is answered once/,
  );
  assert.match(line.violations[0] ?? '', /stream 7 is in use/);
});

void test('a set without content ends its stream itself', async (t) => {
  const { line, main } = await make(t);
  const expect = entryOf(main.directory.replica.get('kept'));
  let ended = false;
  Object.assign(line.wire.stream, { end: () => (ended = true) });
  const [result] = await line.takes([{ op: 'remove', path: 'kept', expect, reason: 'removed' }]);
  assert.equal(result?.result, 'done');
  assert.ok(ended);
});

void test('when the content breaks off, each offer is answered with the reason, and nothing counts as travelled', async (t) => {
  const { line, main } = await make(t);
  line.wire.stream.fail('the connection was lost');
  const results = await line.takes([put('a', 'one'), put('b', 'two')]);
  assert.deepEqual(results, [
    { path: 'a', result: 'failed', detail: 'on Main: the connection was lost' },
    { path: 'b', result: 'failed', detail: 'on Main: the connection was lost' },
  ]);
  assert.deepEqual(line.warnings, ['offer was not taken']);
  assert.deepEqual(line.traffic.transfers, []);
  assert.equal(line.traffic.travelled('files'), 0);
  assert.equal(main.directory.replica.get('a'), undefined);
});

void test('an MDS hears that Main is still at work while a set takes long', async (t) => {
  const { line } = await make(t);
  const results = line.takes([put('a', 'one')]);
  for (let seconds = 0; seconds < 30; seconds += 10) line.clock.advance(10_000);
  const sign = { type: 'credit', stream: STREAM, bytes: 0 };
  assert.deepEqual(line.said.splice(0), [sign, sign, sign]);
  line.wire.stream.fail('it ends');
  await results;
  assert.equal(line.clock.timers, 0);
});

const done: [string, readonly string[]][] = [];
const GRANT: Grant = {
  directory: 'files',
  files: new Map([['a', 3]]),
  reason: 'adopted from mds1',
  actor: 'command by alice',
  kind: 'adopt',
  onDone: (changeSet, paths) => done.push([changeSet, paths]),
};

void test('what a person asked for is taken in a directory of one direction, as the doing of that person', async (t) => {
  const { main, line } = await make(t, { direction: 'to-mds' });
  done.length = 0;
  const grants: (Grant | undefined)[] = [];
  const [result] = await line.takes([put('a', 'one')], ['one'], {
    grant: GRANT,
    recorder: (_conflicts, grant) => {
      grants.push(grant);
      return (changeSet, outcomes) => line.recorded.push({ changeSet, outcomes, conflicts: new Set() });
    },
  });
  assert.equal(result?.result, 'done');
  assert.equal(readFileSync(main.at('a'), 'utf8'), 'one');
  assert.deepEqual(grants, [GRANT]);
  const [{ changeSet } = assert.fail('nothing was recorded')] = line.recorded;
  assert.equal(changeSet.steps[0]?.reason, 'adopted from mds1');
  assert.equal(main.directory.originators.of('a').actor, 'command by alice');
  assert.deepEqual(done, [[changeSet.id, ['a']]]);
  const { appliedRevisions, log } = main.versions;
  assert.equal(appliedRevisions.numberOf('files', changeSet.id), log.newest, 'it can be rolled back');
});

void test('an MDS that offers anything else than what the person was shown offers as any MDS does', async (t) => {
  const { main, line } = await make(t, { direction: 'to-mds' });
  done.length = 0;
  const [result] = await line.takes([put('a', 'more than was shown')], ['more than was shown'], {
    grant: GRANT,
  });
  assert.equal(result?.result, 'refused');
  assert.equal(main.directory.replica.get('a'), undefined);
  assert.deepEqual(done, []);
});
