import assert from 'node:assert/strict';
import { closeSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { ScanIndexTable } from '#sync/state/scanIndex.ts';
import { FileStore } from '../../../../controller/versions/fileStore.ts';
import { RevisionLog } from '../../../../controller/versions/revisionLog.ts';
import { ApplyPlace, fileEntry } from '../../../support/unit/applyPlace.ts';

/** A store of at most 400 bytes, 100 for one file. */
class Kept {
  readonly place: ApplyPlace;
  readonly store: FileStore;
  readonly log: RevisionLog;
  budget = 400;

  constructor(t: TestContext, reserve = 0) {
    this.place = new ApplyPlace(t);
    const places = new Map([['files', this.place.root]]);
    this.store = new FileStore({ db: this.place.db, places, budget: () => this.budget, reserve });
    this.log = new RevisionLog(this.place.db);
  }

  /** Writes a file and keeps it. */
  async keep(name: string, content: string, stamp?: string): Promise<boolean> {
    writeFileSync(this.place.at(name), content);
    const { hash, size } = fileEntry(content);
    return this.store.keep('files', name, { hash, size, stamp: stamp ?? this.place.stamp(name) });
  }

  has(content: string): boolean {
    return this.store.has(fileEntry(content).hash);
  }

  read(content: string): string | undefined {
    const fd = this.store.open(fileEntry(content).hash);
    if (fd === undefined) return undefined;
    try {
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  }

  get names(): string[] {
    return readdirSync(this.place.at('.xivo-xds-sync/versions'));
  }
}

const large = (letter: string): string => letter.repeat(100);

void test('a content is kept beside the file, once, and outlives the file', async (t) => {
  const kept = new Kept(t);
  assert.equal(await kept.keep('a', 'first'), true);
  assert.equal(await kept.keep('b', 'first'), false, 'it is there');
  assert.equal(kept.store.bytes, 5);
  writeFileSync(kept.place.at('a'), 'edited');
  rmSync(kept.place.at('b'));
  assert.equal(kept.read('first'), 'first');
  assert.equal(kept.read('never'), undefined);
  assert.deepEqual(kept.names, [fileEntry('first').hash]);
});

void test('a file that has changed since it was read, or is gone, is not kept under the old name', async (t) => {
  const kept = new Kept(t);
  assert.equal(await kept.keep('a', 'first', 'another stamp'), false);
  rmSync(kept.place.at('a'));
  const { hash, size } = fileEntry('first');
  for (const name of ['a', 'folder/a'])
    assert.equal(await kept.store.keep('files', name, { hash, size, stamp: 'x' }), false);
  assert.equal(await kept.store.keep('no such directory', 'a', { hash, size, stamp: 'x' }), false);
  assert.deepEqual([kept.has('first'), kept.names, kept.store.bytes], [false, [], 0]);
});

void test('the oldest make room, but never what is live', async (t) => {
  const kept = new Kept(t);
  for (const letter of ['a', 'b', 'c', 'd']) assert.ok(await kept.keep(letter, large(letter)));
  const live = { entry: fileEntry(large('a')), stamp: '1' };
  new ScanIndexTable(kept.place.db, 'files').save(new Map([['a', live]]));
  assert.equal(await kept.keep('e', large('e')), true);
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e'].map((letter) => kept.has(large(letter))),
    [true, false, true, true, true],
  );
  assert.equal(kept.store.bytes, 400);
  assert.equal(kept.names.length, 4);
  kept.budget = 100;
  assert.equal(await kept.keep('f', 'f'.repeat(25)), false, 'what is live alone fills it');
  assert.ok(kept.has(large('a')));
});

void test('no file is kept that would displace a quarter of everything, or needs the reserve', async (t) => {
  const kept = new Kept(t);
  assert.equal(await kept.keep('a', 'x'.repeat(101)), false);
  const full = new Kept(t, Number.MAX_SAFE_INTEGER / 4);
  assert.equal(await full.keep('a', 'x'), false);
});

void test('what is neither live nor in the log goes', async (t) => {
  const kept = new Kept(t);
  for (const content of ['before', 'after', 'unused']) await kept.keep(content, content);
  kept.log.append('files', 'f', fileEntry('before'), fileEntry('after'), 1);
  kept.store.dropUnused();
  assert.deepEqual(
    ['before', 'after', 'unused'].map((each) => kept.has(each)),
    [true, true, false],
  );
  assert.equal(kept.store.bytes, 11);
});

void test('what lies in a directory that can not be opened now is removed the next time', async (t) => {
  const kept = new Kept(t);
  await kept.keep('a', 'unused');
  const aside = `${kept.place.root}.aside`;
  renameSync(kept.place.root, aside);
  kept.store.dropUnused();
  assert.ok(kept.has('unused'));
  assert.equal(kept.read('unused'), undefined);
  renameSync(aside, kept.place.root);
  kept.store.dropUnused();
  assert.ok(
    !kept.has('unused') && !existsSync(kept.place.at(`.xivo-xds-sync/versions/${fileEntry('unused').hash}`)),
  );
});
