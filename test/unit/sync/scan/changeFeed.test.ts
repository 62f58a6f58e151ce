import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ChangeFeed } from '#sync/scan/changeFeed.ts';
import { ScannedPaths } from '#sync/scan/scannedPaths.ts';
import { SettleQueue } from '#sync/scan/settleQueue.ts';
import type { ScanIndex } from '#sync/state/scanIndex.ts';
import { fileEntry } from '../../../support/unit/applyPlace.ts';
import { scanMemory } from '../../../support/unit/scanMemory.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

class Case {
  readonly clock = new ManualClock();
  readonly queue = new SettleQueue(this.clock, 300);
  readonly handedOut: string[][] = [];
  /** Whether each belonged to the one before. */
  readonly continued: boolean[] = [];
  /** What happens while it is handed out. */
  onHandOut: () => void = () => undefined;
  readonly saved: string[][] = [];
  /** What fails now. */
  broken: 'consumer' | 'state' | undefined;
  retries = 0;
  readonly index: ScanIndex = {
    ...scanMemory(),
    save: (changes) => {
      if (this.broken === 'state') throw new Error('the state is full');
      this.saved.push([...changes].map(([path]) => path));
    },
  };
  readonly paths = new ScannedPaths(this.queue, this.index, () => false);
  readonly feed: ChangeFeed;

  constructor(whole = false, inParts = false) {
    this.feed = new ChangeFeed({
      paths: this.paths,
      index: this.index,
      rules: { whole, inParts },
      clock: this.clock,
      events: {
        onChanges: (changes, continues) => {
          if (this.broken === 'consumer') throw new Error('no revision');
          this.handedOut.push([...changes.keys()]);
          this.continued.push(continues);
          this.onHandOut();
        },
      },
      soon: () => (this.retries += 1),
    });
  }

  settle(name: string): void {
    this.queue.delete(name);
    this.paths.put(name, { kind: 'settled', entry: fileEntry(name) }, `${name} settled`);
  }

  change(name: string): void {
    this.paths.putMoving(name, `${name} ${this.clock.now()}`);
    this.queue.wait(name);
  }
}

void describe('What a scan has found', () => {
  void it('is handed out once, and written down behind that', () => {
    const test = new Case();
    test.settle('a');
    test.feed.flush();
    test.feed.flush();
    assert.deepEqual([test.handedOut, test.saved], [[['a']], [['a']]]);
  });

  void it('is not written down before it was taken over, or a restart would lose it', () => {
    const test = new Case();
    test.broken = 'consumer';
    test.settle('a');
    assert.throws(() => test.feed.flush(), /no revision/);
    test.feed.saveAtEnd();
    assert.deepEqual(test.saved, []);
    test.clock.advance(5_000);
    assert.equal(test.retries, 1);
    test.settle('b');
    test.broken = undefined;
    test.feed.flush();
    assert.deepEqual(test.handedOut, [['a', 'b']]);
    assert.deepEqual(test.saved, [['a', 'b']]);
  });

  void it('is written down later when that failed alone, and not handed out again', () => {
    const test = new Case();
    test.broken = 'state';
    test.settle('a');
    assert.throws(() => test.feed.flush(), /the state is full/);
    test.broken = undefined;
    test.clock.advance(5_000);
    assert.equal(test.retries, 1);
    test.feed.flush();
    assert.deepEqual([test.handedOut, test.saved], [[['a']], [['a']]]);
  });

  void it('is not tried again after the end', () => {
    const test = new Case();
    test.broken = 'consumer';
    test.settle('a');
    assert.throws(() => test.feed.flush());
    test.feed.close();
    test.clock.advance(60_000);
    assert.throws(() => test.feed.flush());
    assert.deepEqual([test.retries, test.clock.timers], [0, 0]);
  });
});

void describe('Large files that are read one after the other', () => {
  const MIB = 1024 * 1024;

  void it('are handed out whenever as much was read as one change set carries', async () => {
    const test = new Case(false, true);
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      test.settle(name);
      test.feed.read(32 * MIB);
    }
    const parts = [
      ['a', 'b'],
      ['c', 'd'],
    ];
    assert.deepEqual([test.handedOut, test.saved], [parts, []]);
    await test.feed.flushWholeSet();
    assert.deepEqual([test.handedOut.at(-1), test.saved], [['e'], [['a', 'b', 'c', 'd', 'e']]]);
  });

  void it('are pending again when they could not be taken over, and the reading goes on', () => {
    const test = new Case(false, true);
    test.broken = 'consumer';
    test.settle('a');
    test.feed.read(64 * MIB);
    test.settle('b');
    assert.throws(() => test.feed.flush(), /no revision/);
    test.broken = undefined;
    test.feed.flush();
    assert.deepEqual([test.handedOut, test.saved], [[['a', 'b']], [['a', 'b']]]);
  });

  void it('are handed out together where one set must become of them', () => {
    for (const test of [new Case(), new Case(true)]) {
      test.settle('a');
      test.feed.read(1024 * MIB);
      assert.deepEqual(test.handedOut, []);
    }
  });
});

void describe('Files that belong together', () => {
  void it('are handed out when the last of them rests', async () => {
    const test = new Case(true);
    test.settle('a');
    test.change('b');
    await test.feed.flushWholeSet();
    test.feed.saveAtEnd();
    assert.deepEqual([test.handedOut, test.saved], [[], []]);
    test.settle('b');
    await test.feed.flushWholeSet();
    assert.deepEqual(test.handedOut, [['a', 'b']]);
  });

  void it('do not wait longer than five seconds for one that never rests', async () => {
    const test = new Case(true);
    test.settle('a');
    test.change('b');
    await test.feed.flushWholeSet();
    test.clock.advance(4_999);
    await test.feed.flushWholeSet();
    assert.deepEqual(test.handedOut, []);
    test.clock.advance(1);
    await test.feed.flushWholeSet();
    assert.deepEqual(test.handedOut, [['a', 'b']]);
    // The next ones have as long again.
    test.settle('c');
    await test.feed.flushWholeSet();
    assert.equal(test.handedOut.length, 1);
  });

  void it('are handed out at once elsewhere', async () => {
    const test = new Case();
    test.settle('a');
    test.change('b');
    await test.feed.flushWholeSet();
    assert.deepEqual(test.handedOut, [['a', 'b']]);
  });
});

void describe('Very many changes', () => {
  const PORTION = 2_000;
  const names = (many: number): string[] => Array.from({ length: many }, (_, i) => String(i));

  function settledNames(many: number, whole = false): Case {
    const test = new Case(whole);
    for (const name of names(many)) test.settle(name);
    return test;
  }

  void it('are handed out and saved in portions that belong together, and others work meanwhile', async () => {
    const test = settledNames(2 * PORTION + 1);
    let turns = 0;
    test.onHandOut = () => void setImmediate(() => (turns += 1));
    await test.feed.flushWholeSet();
    for (const done of [test.handedOut, test.saved]) {
      assert.deepEqual(
        done.map((each) => each.length),
        [PORTION, PORTION, 1],
      );
      assert.deepEqual(done.flat(), names(2 * PORTION + 1));
    }
    assert.deepEqual(test.continued, [false, true, true]);
    assert.ok(turns >= 2);
  });

  void it('are not saved before all are handed out, and what is found meanwhile neither', async () => {
    const test = settledNames(2 * PORTION);
    test.onHandOut = () => {
      assert.deepEqual(test.saved, []);
      test.onHandOut = () => undefined;
    };
    const flushing = test.feed.flushWholeSet();
    assert.deepEqual([test.handedOut.length, test.saved.length], [1, 0]);
    test.settle('later');
    test.feed.saveAtEnd();
    assert.deepEqual(test.saved, []);
    await flushing;
    assert.equal(test.handedOut.flat().at(-1), 'later');
    assert.deepEqual(new Set(test.saved.flat()), new Set(test.handedOut.flat()));
  });

  void it('stay pending from the portion on that could not be taken over', async () => {
    const test = settledNames(3 * PORTION);
    test.onHandOut = () => (test.broken = 'consumer');
    await assert.rejects(test.feed.flushWholeSet(), /no revision/);
    assert.deepEqual([test.handedOut.length, test.saved, test.paths.index.haveChanges], [1, [], true]);
    test.broken = undefined;
    test.onHandOut = () => undefined;
    await test.feed.flushWholeSet();
    assert.deepEqual(new Set(test.handedOut.flat()), new Set(names(3 * PORTION)));
    assert.equal(test.saved.flat().length, 3 * PORTION);
  });

  void it('are handed out together where they belong together', async () => {
    const test = settledNames(2 * PORTION, true);
    await test.feed.flushWholeSet();
    assert.deepEqual(
      test.handedOut.map((each) => each.length),
      [2 * PORTION],
    );
  });

  void it('are neither handed out nor saved once the directory is closed', async () => {
    const test = settledNames(3 * PORTION);
    const flushing = test.feed.flushWholeSet();
    test.feed.close();
    await flushing;
    test.feed.saveAtEnd();
    assert.deepEqual([test.handedOut.length, test.saved], [1, []]);
  });
});
