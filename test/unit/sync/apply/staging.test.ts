import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readSync, writeFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { Applier } from '#sync/apply/applier.ts';
import type { ApplierOptions } from '#sync/apply/applierOptions.ts';
import { NoRoom } from '#sync/apply/staging.ts';
import { systemClock } from '#host/time/clock.ts';
import { handlesIn } from '../../../support/unit/handlesIn.ts';
import { HeldLane } from '../../../support/unit/heldLane.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';
import { ApplyPlace, fileEntry, folderEntry, putFile, stage } from '../../../support/unit/applyPlace.ts';

function applierOf(t: TestContext, place: ApplyPlace, options: Partial<ApplierOptions>): Applier {
  const applier = new Applier({
    directory: 'files',
    path: place.root,
    journal: place.journal,
    clock: systemClock,
    reserve: 0,
    ...options,
  });
  t.after(() => applier.close());
  return applier;
}

/** What lies in the private folder, but for its empty folders. */
function inArea(place: ApplyPlace): string[] {
  const area = place.at('.xivo-xds-sync');
  return readdirSync(area, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('/'))
    .sort();
}

void describe('A change set in the making', () => {
  void it('has an id of its own that sorts by time, also within a millisecond', (t) => {
    const clock = new ManualClock();
    const applier = applierOf(t, new ApplyPlace(t), { clock });
    const ids = Array.from({ length: 12 }, (_, number) => {
      clock.advance(number % 4 === 0 ? 1_000 : 0);
      using staging = applier.begin(0);
      return staging.id;
    });
    assert.equal(new Set(ids).size, 12);
    const seconds = ids.map((id) => id.slice(0, id.indexOf('-')));
    assert.deepEqual(seconds, seconds.toSorted());
    assert.equal(new Set(seconds).size, 3);
  });

  void it('waits for its turn before it is made durable, before it becomes visible, and before it is recorded', async (t) => {
    const lane = new HeldLane(t);
    const place = new ApplyPlace(t);
    const applier = applierOf(t, place, { receiving: { lane } });
    let isRecorded = false;
    using staging = applier.begin(0);
    const steps = [putFile(staging, 'made', 'content')];
    const committed = staging.commit(steps, () => (isRecorded = true));
    const journalled = (): number => place.journal.open('files').length;
    await lane.give();
    await lane.waits();
    assert.deepEqual([journalled(), place.read('made'), isRecorded], [0, undefined, false]);
    await lane.give();
    await lane.waits();
    assert.deepEqual([journalled(), place.read('made'), isRecorded], [1, 'content', false]);
    await lane.give();
    await committed;
    assert.deepEqual([journalled(), isRecorded], [0, true]);
  });

  void it('leaves nothing of what was staged when it is given up, and closes all', async (t) => {
    const place = new ApplyPlace(t);
    place.applier.begin(0)[Symbol.dispose]();
    const before = handlesIn(place.root);
    {
      using staging = place.applier.begin(0);
      stage(staging, 'finished');
      staging.file().write(Buffer.from('half'));
      staging.bare(folderEntry());
      await staging.resume(fileEntry('not one byte of it'));
      assert.equal(inArea(place).length, 4);
    }
    assert.deepEqual(inArea(place), []);
    assert.deepEqual(handlesIn(place.root), before);
  });

  void it('looks at what it has staged, and at what an earlier one displaced', async (t) => {
    const place = new ApplyPlace(t);
    writeFileSync(place.at('a'), 'old');
    let earlier = '';
    await place.apply((staging) => {
      earlier = staging.id;
      const staged = stage(staging, 'new');
      const read = Buffer.alloc(3);
      assert.equal(
        staging.withFile(staged, (fd) => readSync(fd, read)),
        3,
      );
      assert.equal(read.toString(), 'new');
      return [
        { kind: 'put', path: 'a', entry: fileEntry('new'), expect: place.stamp('a'), staged, reason: '' },
      ];
    });
    using staging = place.applier.begin(0);
    assert.deepEqual(
      staging.withTrashOf(earlier, (trash) => trash?.list().sort()),
      ['0', 'list.json'],
    );
    assert.equal(
      staging.withTrashOf('20200101T000000000Z-0', (trash) => trash),
      undefined,
    );
  });

  void it('begins only where room is left, to the byte, and says how much is missing', (t) => {
    const place = new ApplyPlace(t);
    const before = handlesIn(place.root);
    assert.throws(
      () => place.applier.begin(2 ** 50),
      (error) => error instanceof NoRoom && /free \d+ MiB there/.test(error.message),
    );
    assert.throws(() => place.again(2 ** 50).begin(0), NoRoom);
    assert.deepEqual(handlesIn(place.root), before);
  });
});

void describe('A transfer that is resumed', () => {
  const entry = fileEntry('a large content');

  void it('keeps what came of it, for the next change set', async (t) => {
    const place = new ApplyPlace(t);
    {
      using staging = place.applier.begin(0);
      (await staging.resume(entry)).write(Buffer.from('a large '));
      assert.equal(place.applier.resumeOffset(entry.hash), 0, 'it is being received');
    }
    assert.equal(place.applier.resumeOffset(entry.hash), 8);
    assert.equal(place.applier.totalPartialBytes(), 8);
    using staging = place.applier.begin(0);
    const file = await staging.resume(entry);
    file.write(Buffer.from('content'));
    const staged = file.finish(entry);
    assert.ok(staged !== undefined);
    const { outcomes } = await staging.commit(
      [{ kind: 'put', path: 'a', entry, expect: undefined, staged, reason: '' }],
      () => undefined,
    );
    assert.equal(outcomes[0]?.result, 'done');
    assert.equal(place.read('a'), 'a large content');
    assert.equal(place.applier.totalPartialBytes(), 0);
  });

  void it('is one of a content: a second one at the same time is an ordinary one', async (t) => {
    const place = new ApplyPlace(t);
    {
      using first = place.applier.begin(0);
      (await first.resume(entry)).write(Buffer.from('a large '));
      using second = place.applier.begin(0);
      const other = await second.resume(entry);
      assert.equal(other.size, 0);
      other.write(Buffer.from('a large content'));
      assert.ok(other.finish(entry));
    }
    assert.deepEqual(inArea(place), [`partial/${entry.hash}`]);
    assert.equal(place.applier.resumeOffset(entry.hash), 8);
  });
});

void describe('A change set that can not be journalled', () => {
  void it('has changed nothing, and leaves nothing', async (t) => {
    const place = new ApplyPlace(t);
    writeFileSync(place.at('a'), 'old');
    t.mock.method(place.journal, 'begin', () => {
      throw new Error('the state is full');
    });
    const applying = place.apply((staging) => [
      putFile(staging, 'a', 'new', place.stamp('a')),
      putFile(staging, 'b', 'new'),
    ]);
    await assert.rejects(applying, /the state is full/);
    assert.equal(place.read('a'), 'old');
    assert.equal(existsSync(place.at('b')), false);
    assert.deepEqual(inArea(place), []);
  });
});

void describe('What a change set has placed', () => {
  void it('is announced in the moment in which it becomes visible, and taken back when it could not be recorded', async (t) => {
    const place = new ApplyPlace(t);
    writeFileSync(place.at('metadata'), 'm');
    const heard: unknown[] = [];
    const clock = new ManualClock();
    const applier = applierOf(t, place, {
      clock,
      events: {
        onPlaced: (placed, left) => {
          assert.equal(place.read('new'), 'new');
          heard.push(placed, left);
        },
        onPlacedLost: (paths) => heard.push(['lost', ...paths]),
        onFinished: () => heard.push('finished'),
      },
    });
    mkdirSync(place.at('removed'));
    for (const name of ['before', 'thrown away']) writeFileSync(place.at(name), name);
    {
      using staging = applier.begin(0);
      const steps = [
        putFile(staging, 'new', 'new'),
        {
          kind: 'move',
          path: 'after',
          from: 'before',
          entry: fileEntry('before'),
          expect: place.stamp('before'),
          reason: '',
        },
        {
          kind: 'remove',
          path: 'thrown away',
          entry: fileEntry('thrown away'),
          expect: place.stamp('thrown away'),
          reason: '',
        },
        { kind: 'remove', path: 'stale', entry: fileEntry('stale'), expect: '1:2:3:4:5', reason: '' },
        {
          kind: 'metadata',
          path: 'metadata',
          entry: fileEntry('m', 0o600),
          expect: place.stamp('metadata'),
          reason: '',
        },
        { kind: 'remove', path: 'removed', entry: folderEntry(), expect: '', reason: '' },
      ] as const;
      await assert.rejects(
        staging.commit(steps, () => {
          throw new Error('the state is full');
        }),
        /the state is full/,
      );
    }
    // What can be taken for another program's change has a new name on disk, or other metadata.
    assert.deepEqual(heard, [
      [
        ['new', place.stamp('new'), true],
        ['after', place.stamp('after'), true],
        ['metadata', place.stamp('metadata'), false],
      ],
      ['before', 'thrown away'],
      ['lost', 'new', 'after', 'metadata', 'before', 'thrown away'],
    ]);
    assert.equal(place.journal.open('files').length, 1);
  });

  void it('is shown only within the lease that keeps readers out, which a stop does not wait for', async (t) => {
    const place = new ApplyPlace(t);
    const order: string[] = [];
    let ending: AbortSignal | undefined;
    const applier = applierOf(t, place, {
      withLease: async (show, signal) => {
        ending = signal;
        await Promise.resolve();
        order.push(place.read('a') ?? 'nothing yet');
        const shown = show();
        order.push(place.read('a') ?? 'nothing yet');
        return shown;
      },
    });
    {
      using staging = applier.begin(0);
      await staging.commit([putFile(staging, 'a', 'shown')], () => undefined);
    }
    assert.deepEqual(order, ['nothing yet', 'shown']);
    assert.equal(ending?.aborted, false);
    await applier.close();
    assert.equal(ending?.aborted, true);
  });
});
