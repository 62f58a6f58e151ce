import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry } from '#core/manifest/entry.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import type { Stamp } from '#core/manifest/stamp.ts';
import { ScannedPaths } from '#sync/scan/scannedPaths.ts';
import { SettleQueue } from '#sync/scan/settleQueue.ts';
import type { ScanIndex } from '#sync/state/scanIndex.ts';
import { fileEntry, folderEntry } from '../../../support/unit/applyPlace.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

const SETTLE = 300;
const a = fileEntry('a');
const folder = folderEntry();

type Known = Readonly<Record<string, Entry>>;
type Saved = Record<string, Stamp | undefined>;

/** The scan index of the database, in memory: what was in it, and what is written into it. */
class Memory implements ScanIndex {
  readonly saves: Saved[] = [];
  isFull = false;
  readonly #known: Known;

  constructor(known: Known = {}) {
    this.#known = known;
  }

  rootIdentity(): string | undefined {
    return undefined;
  }

  setRootIdentity(): void {
    // The directory itself is not looked at here.
  }

  *load(): Iterable<{ path: string; stamp: Stamp; entry: Entry }> {
    for (const [path, entry] of Object.entries(this.#known)) yield { path, entry, stamp: `${path} 1` };
  }

  save(changes: ReadonlyMap<string, { stamp: Stamp; entry: Entry } | undefined>): void {
    if (this.isFull) throw new Error('the disk is full');
    this.saves.push(Object.fromEntries([...changes].map(([path, known]) => [path, known?.stamp])));
  }
}

class Case {
  readonly clock = new ManualClock();
  readonly queue = new SettleQueue(this.clock, SETTLE);
  readonly memory: Memory;
  readonly paths: ScannedPaths;

  constructor(known: Known = {}, excluded: (path: string, isFolder: boolean) => boolean = () => false) {
    this.memory = new Memory(known);
    this.paths = new ScannedPaths(this.queue, this.memory, excluded);
  }

  put(entries: Known): this {
    for (const [path, entry] of Object.entries(entries)) this.paths.put(path, settled(entry), `${path} 2`);
    return this;
  }

  kind(path: string): string {
    return this.paths.isGone(path) ? 'gone' : (this.paths.index.get(path)?.state.kind ?? 'nothing');
  }
}

function settled(entry: Entry): PathState {
  return { kind: 'settled', entry };
}

void describe('What was scanned in an earlier run', () => {
  void it('is known, and is no change', () => {
    const { paths, memory } = new Case({ a, f: folder });
    assert.deepEqual([...paths.index.paths()], ['a', 'f']);
    assert.equal(paths.index.haveChanges, false);
    paths.save(memory);
    assert.deepEqual(memory.saves, []);
  });

  void it('has what is new beside it taken together, and in portions only where there was nothing', () => {
    const taken = (known: Known): number => {
      const { queue, clock } = new Case(known);
      for (let i = 0; i < 2_001; i++) queue.wait(String(i));
      clock.advance(SETTLE);
      return queue.takeDue().length;
    };
    assert.equal(taken({ a }), 2_001);
    assert.equal(taken({}), 2_000);
  });

  void it('is forgotten where its name is excluded by now, or could not be opened', () => {
    const { paths, memory } = new Case({ a, 'b~': a, [`${'x'.repeat(250)}/`.repeat(17)]: a }, (path) =>
      path.endsWith('~'),
    );
    assert.deepEqual([...paths.index.paths()], ['a']);
    paths.save(memory);
    assert.deepEqual(memory.saves, [{ 'b~': undefined }]);
  });

  void it('is written down as it settles: what is moving stays as it was', () => {
    const { paths, memory } = new Case({ a, b: a, c: a });
    paths.putMoving('a', 'a 2');
    paths.put('b', settled(fileEntry('b')), 'b 2');
    paths.drop('c');
    paths.put('fifo', { kind: 'special', what: 'a fifo' }, 'fifo 1');
    paths.save(memory);
    paths.save(memory);
    assert.deepEqual(memory.saves, [{ b: 'b 2', c: undefined }]);
    paths.put('a', settled(a), 'a 2');
    memory.isFull = true;
    assert.throws(() => paths.save(memory), /the disk is full/);
    memory.isFull = false;
    paths.save(memory);
    assert.deepEqual(memory.saves[1], { a: 'a 2' });
  });

  void it('does not change when the same is found again', () => {
    const { paths } = new Case({ a });
    paths.put('a', settled({ ...a }), 'a 1');
    assert.equal(paths.index.haveChanges, false);
    paths.put('a', settled(a), 'a 2');
    assert.equal(paths.index.haveChanges, true);
  });
});

void describe('A path that vanishes', () => {
  void it('counts as it was, with all below it, until it has stayed away for the settle time', () => {
    const { paths, queue, clock } = new Case({ f: folder, 'f/a': a, 'f/g': folder, 'f/g/b': a, other: a });
    paths.vanish('f');
    const gone = ['f', 'f/a', 'f/g', 'f/g/b'];
    assert.deepEqual(
      [...paths.index.paths()].filter((path) => paths.isGone(path)),
      gone,
    );
    assert.equal(paths.index.files, 3);
    assert.deepEqual(paths.index.get('f/a')?.state, { kind: 'moving', last: a });
    clock.advance(SETTLE - 10);
    assert.deepEqual(queue.takeDue(), []);
    // Seen missing once more, it does not wait any longer.
    paths.vanish('f');
    clock.advance(10);
    assert.deepEqual(queue.takeDue().sort(), gone);
  });

  void it('and never settled needs no confirmation', () => {
    const { paths, queue } = new Case();
    paths.putMoving('new', 'new 1');
    paths.vanish('new');
    assert.deepEqual(queue.takeDue(), ['new']);
  });

  void it('is remembered by its content, until it is back or gone for good', () => {
    const stamp = '1:2:3:4:5';
    for (const end of ['put', 'drop'] as const) {
      const { paths } = new Case();
      paths.put('a', settled(a), stamp);
      assert.equal(paths.departed.pathOf(stamp), undefined);
      paths.vanish('a');
      // Its ctime is another one by now.
      assert.equal(paths.departed.pathOf('1:2:3:4:9'), 'a');
      if (end === 'put') paths.put('a', settled(a), stamp);
      else paths.drop('a');
      assert.equal(paths.departed.pathOf(stamp), undefined, end);
    }
  });

  void it('empties a directory when it was the last', () => {
    const test = new Case({ a, b: a });
    assert.equal(test.paths.isEmptied, false);
    test.paths.vanish('a');
    assert.equal(test.paths.isEmptied, false);
    test.paths.vanish('b');
    assert.equal(test.paths.isEmptied, true);
    test.put({ b: a });
    assert.equal(test.paths.isEmptied, false);
    assert.equal(new Case().paths.isEmptied, false);
  });
});

void describe('What this program has placed', () => {
  const placed = { state: settled(a), stamp: 'placed' };

  void it('is entered where what it replaced is still the last that was read', () => {
    const test = new Case().put({ a: fileEntry('old') });
    assert.equal(test.paths.adopt('a', placed, 'a 2'), true);
    assert.equal(test.paths.index.get('a')?.stamp, 'placed');
    assert.equal(test.paths.adopt('new', placed, undefined), true);
    // A scan was quicker, and found the same.
    assert.equal(test.paths.adopt('new', placed, undefined), true);
    assert.equal(test.paths.adopt('a', undefined, 'placed'), true);
    assert.equal(test.kind('a'), 'nothing');
  });

  void it('does not hide what another program wrote there since', () => {
    const test = new Case().put({ a: fileEntry('newer') });
    assert.equal(test.paths.adopt('a', placed, 'a 1'), false);
    assert.equal(test.paths.adopt('a', placed, undefined), false);
    assert.equal(test.paths.adopt('a', undefined, 'a 1'), false);
    assert.equal(test.paths.index.get('a')?.stamp, 'a 2');
  });

  void it('does not hide that another program removed it since; its own removal may have been noticed', () => {
    const test = new Case({ a, b: a });
    test.paths.vanish('a');
    assert.equal(test.paths.adopt('a', placed, 'a 1'), false);
    assert.equal(test.kind('a'), 'gone');
    test.paths.vanish('b');
    assert.equal(test.paths.adopt('b', undefined, 'b 1'), true);
    assert.deepEqual([test.kind('b'), test.queue.has('b')], ['nothing', false]);
  });

  void it('takes the place of a folder with all that was known in it', () => {
    const test = new Case({ f: folder, 'f/a': a, g: folder, 'g/a': a });
    assert.ok(test.paths.adopt('f', placed, 'f 1'));
    assert.deepEqual([test.kind('f'), test.kind('f/a')], ['settled', 'nothing']);
    assert.ok(test.paths.adopt('g', undefined, 'g 1'));
    assert.equal(test.kind('g/a'), 'nothing');
  });

  void it('is not entered under a name that is excluded on this host', () => {
    const { paths } = new Case({}, (path) => path === 'b~');
    assert.ok(paths.adopt('b~', placed, undefined));
    assert.equal(paths.index.get('b~'), undefined);
    assert.deepEqual(paths.excludedFilesIn(''), ['b~']);
  });
});

void describe('What does not travel', () => {
  void it('is named: a file that can not be read, and one that has not rested for a minute', () => {
    const { paths, clock, queue } = new Case({ a });
    paths.putUnreadable('b', 'EIO');
    paths.putMoving('a', 'a 1');
    paths.putMoving('a', 'a 2');
    clock.advance(60_000);
    paths.putMoving('a', 'a 3');
    assert.deepEqual([...new Map(paths.skipped).keys()], ['b']);
    clock.advance(1);
    assert.match(new Map(paths.skipped).get('a') ?? '', /is still being written/);
    assert.equal(new Map(paths.skipped).get('b'), "can't be read: EIO");
    assert.ok(queue.has('b'), 'it is tried again');
    paths.put('a', settled(a), 'a 3');
    assert.deepEqual([...new Map(paths.skipped).keys()], ['b']);
  });

  void it('is looked for only as far as it is asked for, however many files have not rested', () => {
    const { paths, clock } = new Case({});
    for (const path of ['waits', 'a', 'b', 'c']) paths.putMoving(path, `${path} 1`);
    // Open for writing, and written to again.
    for (const path of ['a', 'b']) paths.waitAgain(path);
    paths.putMoving('c', 'c 2');
    clock.advance(60_001);
    paths.putMoving('d', 'd 1');
    paths.putMoving('d', 'd 2');
    assert.deepEqual(
      [...new Map(paths.skipped).keys()],
      ['a', 'b', 'c'],
      'one that waits for its turn has rested',
    );
    const asked = paths.skipped[Symbol.iterator]();
    assert.equal(asked.next().value?.[0], 'a');
    paths.drop('b');
    assert.equal(asked.next().value?.[0], 'c');
    assert.equal(asked.next().done, true);
  });

  void it('makes all below a folder unreadable, up to the next that is known', () => {
    const { paths } = new Case({ f: folder, 'f/g': folder });
    paths.putUnreadable('f', 'EACCES');
    assert.equal(paths.unreadableAbove('f/a'), 'EACCES');
    assert.equal(paths.unreadableAbove('f/x/y'), 'EACCES');
    assert.equal(paths.unreadableAbove('f/g/a'), undefined);
    assert.equal(paths.unreadableAbove('f'), undefined);
  });

  void it('is in a folder that holds an override or an excluded name, at any depth', () => {
    const { paths } = new Case({}, (path, isFolder) => path.endsWith('~') && !isFolder);
    paths.setOverrides('f/g', new Set(['xds_override']));
    assert.ok(paths.holdsOverride('f/g') && paths.holdsOverride('f') && paths.holdsOverride(''));
    assert.equal(paths.holdsOverride('f/g/h') || paths.holdsOverride('f/gg'), false);
    paths.setOverrides('f/g', new Set());
    assert.equal(paths.holdsOverride('f'), false);
    assert.ok(paths.takeExcluded('h/a~', false));
    assert.equal(paths.takeExcluded('h/folder~', true), false);
    assert.ok(paths.holdsOverride('h'));
    paths.keepExcluded('h', new Set(['a~']));
    assert.deepEqual(paths.excludedFilesIn('h'), ['a~']);
    paths.keepExcluded('h', new Set());
    assert.equal(paths.holdsOverride('h'), false);
  });

  void it('does not hide a file that was known before its name was excluded', () => {
    let isExcluded = false;
    const test = new Case({ 'a~': a }, () => isExcluded);
    isExcluded = true;
    assert.equal(test.paths.takeExcluded('a~', false), false);
    test.paths.drop('a~');
    assert.equal(test.paths.takeExcluded('a~', false), true);
    test.paths.dropExcluded('a~');
    assert.deepEqual(test.paths.excludedFilesIn(''), []);
  });
});
