import assert from 'node:assert/strict';
import { existsSync, rmSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileEntry, folderEntry } from '../../../support/unit/applyPlace.ts';
import { Mds, scanned } from '../../../support/unit/mdsDirectory.ts';

describe('A directory of an MDS', () => {
  it('has a file of its own once Main removes the one of the same name that was never delivered', async (t) => {
    const mds = new Mds(t, { files: { f: 'own' } });
    const entry = mds.main.has('f', 'from Main');
    mds.attach(undefined, true);
    await mds.mainSays({ f: entry });
    // The plan may know of the file here before the counts do.
    await mds.directory.readAgain();
    await mds.directory.whenIdle();
    const nothing = '0'.repeat(64);
    assert.equal(mds.directory.report(false).pending, 1);
    assert.notEqual(mds.directory.report(false).digest, nothing);
    const change = { type: 'changes', directory: 'files', sequence: 2, held: null } as const;
    const items = [{ path: 'f', shown: { kind: 'gone' } as const }];
    mds.directory.manifest.change({ ...change, from: 1, revision: 2, items });
    await mds.directory.whenIdle();
    const { pending, files, localOnly, digest } = mds.directory.report(false);
    assert.deepEqual(
      { pending, files, localOnly, digest },
      { pending: 0, files: 0, localOnly: 1, digest: nothing },
    );
    assert.equal(mds.read('f'), 'own');
  });

  it('is read when Main’s manifest is here, and then brought in line', async (t) => {
    const mds = new Mds(t, { files: { local: 'own', old: 'old' }, ledger: { old: fileEntry('old') } });
    const entry = mds.main.has('new', 'from Main');
    assert.deepEqual([mds.directory.isKnown, mds.directory.isComparable], [false, false]);
    mds.attach();
    await mds.mainSays({ new: entry });
    assert.deepEqual([mds.directory.isKnown, mds.directory.isComparable], [true, true]);
    assert.deepEqual([mds.read('new'), mds.read('local')], ['from Main', 'own']);
    const { files, localOnly, pending, held } = mds.directory.report(true);
    assert.deepEqual([files, localOnly, pending, held], [1, 1, 0, null]);
    assert.ok(mds.news > 0);
    assert.deepEqual(mds.log, []);
  });

  it('is made as Main has it where the MDS never had one', async (t) => {
    const mds = new Mds(t, { files: undefined });
    rmSync(mds.root, { recursive: true, force: true });
    const entry = mds.main.has('new', 'from Main');
    mds.attach();
    await mds.mainSays({ new: entry }, folderEntry(0o750));
    assert.equal(mds.read('new'), 'from Main');
    assert.equal(statSync(mds.root).mode & 0o777, 0o750);
  });

  it('that is missing although it had files is on hold, until a person confirms', async (t) => {
    const entry = fileEntry('from Main');
    const mds = new Mds(t, { files: undefined, ledger: { a: entry } });
    rmSync(mds.root, { recursive: true, force: true });
    mds.main.has('a', 'from Main');
    mds.attach();
    await mds.mainSays({ a: entry }, folderEntry(0o750));
    assert.match(mds.directory.report(false).held ?? '', /can't be opened \(ENOENT\)/);
    assert.ok(!existsSync(mds.root), 'a disk may not be mounted');
    await mds.directory.confirm();
    await mds.directory.whenIdle();
    assert.equal(mds.read('a'), 'from Main');
  });

  it('is not touched while synchronisation is paused', async (t) => {
    const mds = new Mds(t);
    const entry = mds.main.has('new', 'from Main');
    mds.attach(undefined, true);
    await mds.mainSays({ new: entry });
    assert.deepEqual([mds.read('new'), mds.directory.isPaused], [undefined, true]);
    assert.equal(mds.directory.report(false).pending, 1);
    mds.directory.pause(false);
    await mds.directory.whenIdle();
    assert.equal(mds.read('new'), 'from Main');
  });

  it('loses nothing by a mass removal until a person confirms it', async (t) => {
    const files = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, name]));
    const mds = new Mds(t, { files });
    mds.attach();
    // Main has them, as they are here.
    const entries = await scanned(mds);
    await mds.mainSays(entries);
    await mds.mainSays({});
    assert.match(mds.directory.report(false).held ?? '', /would be removed/);
    assert.equal(mds.read('a'), 'a');
    await mds.directory.confirm();
    await mds.directory.whenIdle();
    assert.equal(mds.read('a'), undefined);
    assert.equal((await mds.directory.trash()).items.length, 4);
  });

  it('keeps everything after a state mismatch: what is missing proves no removal', async (t) => {
    const mds = new Mds(t, { files: { a: 'a' } });
    mds.attach();
    const entries = await scanned(mds);
    await mds.mainSays(entries);
    mds.directory.detach();
    mds.attach('Main’s state was restored');
    await mds.mainSays({});
    assert.equal(mds.read('a'), 'a');
    assert.equal(mds.directory.isSettledWithMain, false);
    assert.match(mds.directory.report(false).held ?? '', /restored/);
  });

  it('knows a delivered file by an excluded name, and no other', (t) => {
    const mds = new Mds(t, { policy: { exclude: ['*.bak'] }, ledger: { 'was.bak': fileEntry('x') } });
    const isExcluded = (name: string): boolean => mds.directory.isExcluded(name, false);
    assert.deepEqual(
      [isExcluded('new.bak'), isExcluded('was.bak'), isExcluded('a.wav')],
      [true, false, false],
    );
  });

  it('does nothing more when it is closed before it was read', async (t) => {
    const mds = new Mds(t);
    const entry = mds.main.has('new', 'from Main');
    mds.attach();
    const { manifest } = mds.directory;
    manifest.begin({ type: 'manifest-begin', directory: 'files', revision: 1, held: null, root: null });
    const items = [{ path: 'new', shown: { kind: 'settled' as const, entry } }];
    manifest.page({ type: 'manifest-page', directory: 'files', items });
    manifest.end({ type: 'manifest-end', directory: 'files', revision: 1, sequence: 1 });
    await mds.directory.close();
    assert.equal(mds.read('new'), undefined);
    assert.equal(mds.directory.isKnown, false);
  });
});
