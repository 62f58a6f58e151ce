import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Folder } from '#host/fs/folder.ts';
import { stageBare, StagedFile } from '#sync/apply/stagedFile.ts';
import { eventually } from '../../../support/harness/host.ts';
import { fileEntry, folderEntry, linkEntry } from '../../../support/unit/applyPlace.ts';
import { handlesIn } from '../../../support/unit/handlesIn.ts';

const CONTENT = 'the whole content';
const entry = fileEntry(CONTENT, 0o640);

/** A staging area, and one of parts that an interrupted transfer left. */
class Area {
  readonly #at: string;
  readonly stage: Folder;
  readonly partial: Folder;

  constructor(t: TestContext) {
    this.#at = mkdtempSync(path.join(os.tmpdir(), 'xds-staged-'));
    for (const name of ['stage', 'partial']) mkdirSync(path.join(this.#at, name));
    this.stage = Folder.openRoot(path.join(this.#at, 'stage'));
    this.partial = Folder.openRoot(path.join(this.#at, 'partial'));
    t.after(() => {
      this.stage.close();
      this.partial.close();
      rmSync(this.#at, { recursive: true });
    });
  }

  at(name: string): string {
    return path.join(this.#at, name);
  }

  /** What lies in both. */
  get names(): string[] {
    return ['stage', 'partial'].flatMap((folder) =>
      readdirSync(this.at(folder)).map((name) => `${folder}/${name}`),
    );
  }

  /** The files in it that are open. */
  get open(): string[] {
    return handlesIn(this.#at).filter((file) => ![this.at('stage'), this.at('partial')].includes(file));
  }

  resume(ending = new AbortController().signal): Promise<StagedFile> {
    return StagedFile.resume(this.partial, entry.hash, { folder: this.stage, name: '1' }, ending);
  }
}

void describe('A file that is staged', () => {
  void it('is finished with its metadata when it is what was announced, however it was written', async (t) => {
    const area = new Area(t);
    const file = StagedFile.create(area.stage, '1');
    assert.equal(lstatSync(area.at('stage/1')).mode & 0o777, 0o600);
    file.write(Buffer.from('the '));
    await file.writeBehind(Buffer.from('whole '));
    await file.flush();
    file.write(Buffer.from('content'));
    assert.equal(file.size, CONTENT.length);
    const staged = file.finish(entry);
    const stat = lstatSync(area.at('stage/1'), { bigint: true });
    assert.deepEqual(staged, { name: '1', inode: String(stat.ino) });
    assert.equal(file.inode, String(stat.ino));
    assert.equal(readFileSync(area.at('stage/1'), 'utf8'), CONTENT);
    assert.deepEqual([stat.mode & 0o7777n, stat.mtimeNs], [0o640n, BigInt(entry.mtime)]);
    // It is not ours any more.
    file.discard();
    file.suspend();
    assert.deepEqual(area.names, ['stage/1']);
    await eventually('it is closed', () => area.open.length === 0);
  });

  void it('is removed when it is something else, longer, shorter or of the same size', (t) => {
    for (const content of [`${CONTENT}.`, CONTENT.slice(1), CONTENT.toUpperCase()]) {
      const area = new Area(t);
      const file = StagedFile.create(area.stage, '1');
      file.write(Buffer.from(content));
      assert.equal(file.finish(entry), undefined, content);
      assert.deepEqual(area.names, []);
      assert.deepEqual(area.open, []);
    }
  });

  void it('takes no name that is taken', (t) => {
    const area = new Area(t);
    writeFileSync(area.at('stage/1'), 'of another');
    assert.throws(() => StagedFile.create(area.stage, '1'), { code: 'EEXIST' });
    assert.equal(readFileSync(area.at('stage/1'), 'utf8'), 'of another');
  });

  void it('leaves nothing when its transfer is interrupted', (t) => {
    const area = new Area(t);
    for (const end of ['suspend', 'discard'] as const) {
      const file = StagedFile.create(area.stage, '1');
      file.write(Buffer.from('the '));
      file[end]();
      file[end]();
      assert.deepEqual(area.names, [], end);
    }
  });
});

void describe('A file whose transfer may be resumed', () => {
  void it('is kept when it is interrupted, goes on where it was, and is verified as a whole', async (t) => {
    const area = new Area(t);
    for (const [at, piece] of [
      [0, 'the '],
      [4, 'whole '],
    ] as const) {
      const file = await area.resume();
      assert.equal(file.size, at);
      file.write(Buffer.from(piece));
      file.suspend();
      assert.deepEqual(area.names, [`partial/${entry.hash}`]);
    }
    const file = await area.resume();
    await file.writeBehind(Buffer.from('content'));
    await file.flush();
    assert.deepEqual(file.finish(entry), { name: '1', inode: file.inode });
    assert.deepEqual(area.names, ['stage/1']);
    assert.equal(readFileSync(area.at('stage/1'), 'utf8'), CONTENT);
    await eventually('it is closed', () => area.open.length === 0);
  });

  void it('is kept to the last byte that came, also of what was still to be written', async (t) => {
    const area = new Area(t);
    const file = await area.resume();
    await file.writeBehind(Buffer.from('the '));
    await file.interrupted();
    file.suspend();
    assert.equal(readFileSync(area.at(`partial/${entry.hash}`), 'utf8'), 'the ');
  });

  void it('is kept, and not read to its end, when the directory is being closed', async (t) => {
    const area = new Area(t);
    (await area.resume()).write(Buffer.from('the '));
    await assert.rejects(area.resume(AbortSignal.abort(new Error('being closed'))), /being closed/);
    assert.equal(readFileSync(area.at(`partial/${entry.hash}`), 'utf8'), 'the ');
    assert.equal(area.open.length, 1, 'only the first one is open');
  });

  void it('is not kept while it is empty, and not when it was wrong: the next transfer starts from nothing', async (t) => {
    const area = new Area(t);
    (await area.resume()).suspend();
    assert.deepEqual(area.names, []);
    writeFileSync(area.at(`partial/${entry.hash}`), 'THE ');
    const file = await area.resume();
    file.write(Buffer.from('whole content'));
    assert.equal(file.finish(entry), undefined);
    assert.deepEqual(area.names, []);
  });

  void it('never replaces what has its name in the staging area', async (t) => {
    const area = new Area(t);
    writeFileSync(area.at('stage/1'), 'of another');
    const file = await area.resume();
    file.write(Buffer.from(CONTENT));
    assert.throws(() => file.finish(entry), { code: 'EEXIST' });
    assert.equal(readFileSync(area.at('stage/1'), 'utf8'), 'of another');
    file.suspend();
    assert.deepEqual(area.names, ['stage/1', `partial/${entry.hash}`]);
  });
});

void describe('A folder or a link that is staged', () => {
  void it('has its metadata and is known by its inode', (t) => {
    const area = new Area(t);
    const folder = stageBare(area.stage, '1', folderEntry(0o2750));
    const link = stageBare(area.stage, '2', linkEntry('../caf\udce9'));
    const stat = lstatSync(area.at('stage/1'));
    assert.deepEqual(folder, { name: '1', inode: String(stat.ino) });
    assert.equal(stat.mode & 0o7777, 0o2750);
    assert.equal(link.inode, String(lstatSync(area.at('stage/2')).ino));
    assert.equal(area.stage.readLink('2'), '../caf\udce9');
  });

  void it('leaves nothing when its metadata can not be set', (t) => {
    const area = new Area(t);
    t.mock.method(Folder.prototype, 'setOwner', () => {
      throw new Error('EPERM');
    });
    t.mock.method(Folder.prototype, 'open', () => {
      throw new Error('EMFILE');
    });
    assert.throws(() => stageBare(area.stage, '1', linkEntry('a')), /EPERM/);
    assert.throws(() => stageBare(area.stage, '2', folderEntry()), /EMFILE/);
    assert.deepEqual(area.names, []);
  });
});
