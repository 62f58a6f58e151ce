import assert from 'node:assert/strict';
import { mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { MAX_DEPTH } from '#core/path/relative.ts';
import { Folder } from '#host/fs/folder.ts';
import { Listing } from '#host/fs/listing/listing.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { Owners } from '#host/fs/owners.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { ApplyPlace } from '../../../support/unit/applyPlace.ts';
import { replicaOf } from '../../../support/unit/replicaOf.ts';

/** What a replica knows, by path. */
function known(replica: Replica): Record<string, string> {
  return Object.fromEntries(
    [...replica.paths()].sort().map((path) => {
      const state = replica.get(path);
      return [path, state?.kind === 'settled' ? state.entry.type : (state?.kind ?? 'nothing')];
    }),
  );
}

/** A directory with files in folders. */
function placeWith(t: TestContext, ...files: string[]): ApplyPlace {
  const place = new ApplyPlace(t);
  for (const file of files) {
    if (file.includes('/')) mkdirSync(place.at(file.slice(0, file.lastIndexOf('/'))), { recursive: true });
    writeFileSync(place.at(file), file);
  }
  return place;
}

/** The listing of folders with this end of their path fails, as on a failing disk. */
function failToList(t: TestContext, end: string) {
  return t.mock.method(Folder.prototype, 'listing', function (this: Folder) {
    if (!readlinkSync(`/proc/self/fd/${this.fd}`).endsWith(end)) return new Listing(this.fd);
    throw Object.assign(new Error('EIO: i/o error, scandir'), { code: 'EIO', syscall: 'scandir' });
  });
}

void describe('A scan of a directory', () => {
  void it('finds all but overrides and the private folder', async (t) => {
    const place = placeWith(
      t,
      'a',
      'f/b',
      'xds_override.conf',
      'f/xds_override_d/c',
      '.xivo-xds-sync/stage/d',
      'f/.xivo-xds-sync/e',
    );
    symlinkSync('a', place.at('link'));
    const replica = await replicaOf(t, place);
    assert.deepEqual(known(replica), {
      a: 'file',
      f: 'folder',
      // Only the one at the top is ours.
      'f/.xivo-xds-sync': 'folder',
      'f/.xivo-xds-sync/e': 'file',
      'f/b': 'file',
      link: 'link',
    });
    assert.ok(replica.holdsOverride('f') && !replica.holdsOverride('f/.xivo-xds-sync'));
  });

  void it('forgets what is below a name that is no folder any more, and reads what is below a new one', async (t) => {
    const place = placeWith(t, 'f/g/a', 'b');
    const replica = await replicaOf(t, place);
    rmSync(place.at('f'), { recursive: true });
    writeFileSync(place.at('f'), 'a file');
    unlinkSync(place.at('b'));
    mkdirSync(place.at('b/c'), { recursive: true });
    writeFileSync(place.at('b/c/d'), 'd');
    await replica.recheck(['f', 'b']);
    await replica.whenQuiet(2_000);
    assert.deepEqual(known(replica), { b: 'folder', 'b/c': 'folder', 'b/c/d': 'file', f: 'file' });
  });

  void it('of folders alone descends into new ones, not into those that are known', async (t) => {
    const place = placeWith(t, 'known/a');
    const replica = await replicaOf(t, place);
    writeFileSync(place.at('known/b'), 'b');
    mkdirSync(place.at('new/deep'), { recursive: true });
    writeFileSync(place.at('new/deep/c'), 'c');
    await replica.rescanFolders(['']);
    await replica.whenQuiet(2_000);
    assert.deepEqual([replica.get('known/b'), replica.get('new/deep/c')?.kind], [undefined, 'settled']);
    await replica.rescanFolders(['known', 'not there', 'known/a']);
    await replica.whenQuiet(2_000);
    assert.equal(replica.get('known/b')?.kind, 'settled');
  });

  void it('looks at no name of a folder that is not ours, whatever the hint', async (t) => {
    const place = placeWith(t, '.xivo-xds-sync/stage/a', 'xds_override_d/b', 'c');
    const replica = await replicaOf(t, place);
    await replica.recheck(['.xivo-xds-sync', '.xivo-xds-sync/stage/a', 'xds_override_d', 'xds_override_d/b']);
    await replica.rescanFolders(['.xivo-xds-sync', '.xivo-xds-sync/stage', 'xds_override_d']);
    await replica.whenQuiet(2_000);
    assert.deepEqual(known(replica), { c: 'file' });
  });

  void it('goes 64 folders deep, and names what is deeper', async (t) => {
    const deepest = Array.from({ length: MAX_DEPTH - 1 }, () => 'f').join('/');
    const replica = await replicaOf(t, placeWith(t, `${deepest}/a`, `${deepest}/f/b`));
    assert.equal(replica.get(`${deepest}/a`)?.kind, 'settled');
    assert.equal(replica.get(`${deepest}/f`)?.kind, 'special');
    assert.match(new Map(replica.skipped).get(`${deepest}/f`) ?? '', /63 above it, the maximum/);
    assert.equal(replica.get(`${deepest}/f/b`), undefined);
  });
});

void describe('A folder that can not be listed', () => {
  void it('keeps what is known in it, is named, and is no reason to leave the others', async (t) => {
    const place = placeWith(t, 'bad/a', 'good/b');
    const replica = await replicaOf(t, place);
    unlinkSync(place.at('bad/a'));
    writeFileSync(place.at('good/c'), 'c');
    const list = failToList(t, '/bad');
    await replica.rescan();
    list.mock.restore();
    await replica.whenQuiet(2_000);
    assert.equal(new Map(replica.skipped).get('bad'), "can't be read: EIO");
    assert.deepEqual(replica.get('bad/new'), { kind: 'unreadable', errno: 'EIO' });
    assert.equal(replica.get('bad/a')?.kind, 'settled');
    assert.equal(replica.get('good/c')?.kind, 'settled');
    await replica.rescan();
    await replica.whenQuiet(2_000);
    assert.equal(new Map(replica.skipped).get('bad'), undefined);
    assert.equal(replica.get('bad/a'), undefined);
  });

  void it('and is the directory itself is trouble, from which nothing follows', async (t) => {
    const place = placeWith(t, 'a');
    const errors: unknown[] = [];
    const replica = await replicaOf(t, place, new Owners(), (error) => errors.push(error));
    renameSync(place.at('a'), place.at('b'));
    const list = failToList(t, '/files');
    await replica.rescan();
    assert.match(replica.trouble ?? '', /EIO/);
    assert.equal(errors.length, 1);
    assert.deepEqual(known(replica), { a: 'file' });
    list.mock.restore();
    await replica.rescan();
    await replica.whenQuiet(2_000);
    assert.equal(replica.trouble, undefined);
    assert.deepEqual(known(replica), { b: 'file' });
  });

  void it('that may open no more files is tried again as a whole, and takes no folder for one that can not be read', async (t) => {
    const place = placeWith(t, 'f/a');
    const errors: unknown[] = [];
    const replica = await replicaOf(t, place, undefined, (error) => errors.push(error));
    writeFileSync(place.at('f/new'), 'new');
    const few = t.mock.method(OpenFolders.prototype, 'get', function (this: OpenFolders, folder: string) {
      if (folder === '') return this.root;
      throw Object.assign(new Error('EMFILE: too many open files, open'), { code: 'EMFILE' });
    });
    await replica.rescanFolders(['f']);
    assert.deepEqual(known(replica), { f: 'folder', 'f/a': 'file' });
    assert.match(String(errors), /EMFILE/);
    assert.match(replica.trouble ?? '', /EMFILE/);
    few.mock.restore();
    // Whatever is scanned next, all is.
    await replica.rescanFolders([]);
    await replica.whenQuiet(2_000);
    assert.deepEqual(known(replica), { f: 'folder', 'f/a': 'file', 'f/new': 'file' });
    assert.equal(replica.trouble, undefined);
  });

  void it('has a changed file read with what is known of its last version', async (t) => {
    const place = placeWith(t, 'a', 'b');
    const replica = await replicaOf(t, place);
    const state = replica.get('a');
    assert.ok(state?.kind === 'settled' && state.entry.type === 'file');
    const read = t.mock.method(replica.contents, 'hash');
    for (const name of ['a', 'new']) writeFileSync(place.at(name), 'another content');
    await replica.rescan();
    await replica.whenQuiet(2_000);
    const befores = read.mock.calls.map(({ arguments: [, name, , { before }] }) => [name, before]);
    assert.deepEqual(Object.fromEntries(befores), { a: state.entry.hash, new: undefined });
  });
});
