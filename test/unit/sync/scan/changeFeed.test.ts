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
      onChanges: (changes) => {
        if (this.broken === 'consumer') throw new Error('no revision');
        this.handedOut.push([...changes.keys()]);
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

  void it('are handed out whenever as much was read as one change set carries', () => {
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
    test.feed.flushWholeSet();
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
  void it('are handed out when the last of them rests', () => {
    const test = new Case(true);
    test.settle('a');
    test.change('b');
    test.feed.flushWholeSet();
    test.feed.saveAtEnd();
    assert.deepEqual([test.handedOut, test.saved], [[], []]);
    test.settle('b');
    test.feed.flushWholeSet();
    assert.deepEqual(test.handedOut, [['a', 'b']]);
  });

  void it('do not wait longer than five seconds for one that never rests', () => {
    const test = new Case(true);
    test.settle('a');
    test.change('b');
    test.feed.flushWholeSet();
    test.clock.advance(4_999);
    test.feed.flushWholeSet();
    assert.deepEqual(test.handedOut, []);
    test.clock.advance(1);
    test.feed.flushWholeSet();
    assert.deepEqual(test.handedOut, [['a', 'b']]);
    // The next ones have as long again.
    test.settle('c');
    test.feed.flushWholeSet();
    assert.equal(test.handedOut.length, 1);
  });

  void it('are handed out at once elsewhere', () => {
    const test = new Case();
    test.settle('a');
    test.change('b');
    test.feed.flushWholeSet();
    assert.deepEqual(test.handedOut, [['a', 'b']]);
  });
});
