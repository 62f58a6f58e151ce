import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { Folder } from '#host/fs/folder.ts';
import { PrivateFolder } from '#sync/apply/privateFolder.ts';
import { handlesIn } from '../../../support/unit/handlesIn.ts';

class Root {
  readonly path: string;
  readonly folder: Folder;

  constructor(t: TestContext) {
    this.path = mkdtempSync(path.join(os.tmpdir(), 'xds-private-'));
    this.folder = Folder.openRoot(this.path);
    t.after(() => {
      this.folder.close();
      rmSync(this.path, { recursive: true });
    });
  }

  at(name = ''): string {
    return path.join(this.path, '.xivo-xds-sync', name);
  }
}

void test('it is made for this user alone, and opened again with what is in it', (t) => {
  const root = new Root(t);
  const umask = lstatSync(root.path).mode;
  for (let time = 0; time < 2; time++) {
    using area = new PrivateFolder(root.folder);
    assert.ok(area.stage.fd !== area.trash.fd);
    writeFileSync(root.at('trash/kept'), 'kept');
  }
  for (const name of ['', 'stage', 'trash'])
    assert.equal(lstatSync(root.at(name)).mode & 0o7777, 0o700, name);
  assert.equal(lstatSync(root.path).mode, umask);
  assert.deepEqual(readdirSync(root.at()).sort(), ['stage', 'trash']);
  assert.deepEqual(readdirSync(root.at('trash')), ['kept']);
});

void test('what is seldom needed in it is made when it is needed, and all of it is closed at the end', (t) => {
  const root = new Root(t);
  const open = handlesIn(root.path);
  {
    using area = new PrivateFolder(root.folder);
    assert.equal(area.partial, area.partial);
    assert.equal(area.versions, area.versions);
  }
  assert.deepEqual(readdirSync(root.at()).sort(), ['partial', 'stage', 'trash', 'versions']);
  assert.deepEqual(handlesIn(root.path), open);
});

void test('it is closed to other users again after a chmod or chown of all there is', (t) => {
  const root = new Root(t);
  new PrivateFolder(root.folder)[Symbol.dispose]();
  for (const name of ['', 'stage', 'trash']) chmodSync(root.at(name), 0o777);
  // As a "chown -R" over the directory does it, which takes root.
  if (process.getuid?.() === 0)
    for (const name of ['', 'stage', 'trash']) chownSync(root.at(name), 4711, 4711);
  new PrivateFolder(root.folder)[Symbol.dispose]();
  for (const name of ['', 'stage', 'trash']) {
    const { mode, uid } = lstatSync(root.at(name));
    assert.deepEqual([mode & 0o7777, uid], [0o700, process.getuid?.()], name);
  }
});

void test('a file or a link under its name is left alone, and named with what to do', (t) => {
  for (const plant of [
    (at: string) => writeFileSync(at, 'mine'),
    (at: string) => symlinkSync('elsewhere', at),
    (at: string) => symlinkSync('/nowhere', at),
  ]) {
    const root = new Root(t);
    mkdirSync(path.join(root.path, 'elsewhere'));
    plant(root.at());
    const open = handlesIn(root.path);
    assert.throws(
      () => new PrivateFolder(root.folder),
      new RegExp(`^Error: ${root.path}/.xivo-xds-sync is not the folder .* move it away$`),
    );
    assert.deepEqual(readdirSync(path.join(root.path, 'elsewhere')), []);
    assert.deepEqual(handlesIn(root.path), open);
  }
});

void test('what was planted under the name of one of its folders goes, and leads nowhere', (t) => {
  const root = new Root(t);
  mkdirSync(path.join(root.path, 'elsewhere'));
  mkdirSync(root.at());
  symlinkSync('../elsewhere', root.at('stage'));
  writeFileSync(root.at('trash'), 'mine');
  {
    using area = new PrivateFolder(root.folder);
    area.stage.makeFolder('inside', 0o700);
  }
  assert.ok(existsSync(root.at('stage/inside')) && lstatSync(root.at('stage')).isDirectory());
  assert.deepEqual(readdirSync(path.join(root.path, 'elsewhere')), []);
});
