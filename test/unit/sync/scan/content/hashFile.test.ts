import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Stamp, stampOf } from '#core/manifest/stamp.ts';
import { Folder } from '#host/fs/folder.ts';
import { systemClock } from '#host/time/clock.ts';
import { StagingThread } from '#sync/apply/thread/stagingThread.ts';
import { hashInThread } from '#sync/scan/content/hashInThread.ts';
import { hashFile, type Listing } from '#sync/scan/content/hashFile.ts';
import { ChunkLists } from '#sync/transfer/chunkLists.ts';
import { eventually } from '../../../../support/harness/host.ts';
import { sameBytes } from '../../../../support/unit/sameBytes.ts';

const MEBIBYTE = 1024 * 1024;

/** Bytes that this process has read so far. */
const bytesRead = (): number => Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);

void describe("A file's hash", () => {
  let place: string;
  let folder: Folder;
  const at = (name: string): string => path.join(place, name);
  const stampNow = (name: string): Stamp => stampOf(statSync(at(name), { bigint: true }));
  beforeEach(() => {
    place = mkdtempSync(path.join(os.tmpdir(), 'xds-hash-'));
    folder = Folder.openRoot(place);
  });
  afterEach(() => {
    folder.close();
    rmSync(place, { recursive: true });
  });

  void it('is that of all its bytes, whichever way they are read', async () => {
    for (const size of [0, 1, 256 * 1024, 256 * 1024 + 1, MEBIBYTE, 2 * MEBIBYTE + 5]) {
      const content = Buffer.alloc(size, 'as long as no piece is like the next');
      writeFileSync(at('file'), content);
      const expected = createHash('sha256').update(content).digest('hex');
      assert.equal(await hashFile(folder, 'file', stampNow('file')), expected, `${size} bytes`);
    }
  });

  void it('is that of the version that was asked for, or none', async () => {
    writeFileSync(at('file'), 'one');
    const before = stampNow('file');
    writeFileSync(at('file'), 'another');
    assert.equal(await hashFile(folder, 'file', before), undefined);
  });

  void it('is none when the file changes while it is read', async () => {
    writeFileSync(at('file'), Buffer.alloc(4 * MEBIBYTE));
    const hashed = hashFile(folder, 'file', stampNow('file'));
    // A large file is read in later turns of the loop: nothing of it was read yet.
    appendFileSync(at('file'), 'more');
    assert.equal(await hashed, undefined);
  });

  void it('is none while a program has the file open for writing', async () => {
    writeFileSync(at('file'), 'half of it');
    const writer = openSync(at('file'), 'r+');
    try {
      assert.equal(await hashFile(folder, 'file', stampNow('file')), undefined);
    } finally {
      closeSync(writer);
    }
    assert.notEqual(await hashFile(folder, 'file', stampNow('file')), undefined);
  });

  void it('is none where there is something else than a file', async () => {
    mkdirSync(at('folder'));
    assert.equal(await hashFile(folder, 'folder', stampNow('folder')), undefined);
  });

  void it('comes with the chunks of a large file, of the same pass', async () => {
    const content = Buffer.alloc(8 * MEBIBYTE + 3, 'as long as no piece is like the next');
    writeFileSync(at('large'), content);
    writeFileSync(at('small'), content.subarray(0, 8 * MEBIBYTE - 1));
    const lists = new ChunkLists();
    const listing = { lists, before: 'unknown' };
    const hash = (await hashFile(folder, 'large', stampNow('large'), { listing })) ?? '';
    const list = lists.get(hash);
    assert.equal(
      list?.lengths.reduce((sum, length) => sum + length, 0),
      content.length,
    );
    const small = (await hashFile(folder, 'small', stampNow('small'), { listing })) ?? '';
    assert.equal(lists.get(small), undefined);
  });

  void it('is not made further once its reader is not wanted any more', async () => {
    writeFileSync(at('file'), Buffer.alloc(4 * MEBIBYTE));
    const abort = new AbortController();
    const hashed = hashFile(folder, 'file', stampNow('file'), { signal: abort.signal });
    abort.abort(new Error('the program ends'));
    await assert.rejects(hashed, /the program ends/);
  });

  void describe('of a large file whose chunks are listed', () => {
    const content = sameBytes('content', 9 * MEBIBYTE + 3);
    let thread: StagingThread;
    const listing = (): Listing & { readonly thread: StagingThread } => ({
      lists: new ChunkLists(),
      before: 'unknown',
      thread,
    });
    beforeEach(() => {
      thread = new StagingThread(systemClock);
      writeFileSync(at('large'), content);
    });
    afterEach(() => thread.close());

    void it('is made by another thread meanwhile, if that runs already or there is much to hash', async () => {
      writeFileSync(at('very large'), '');
      truncateSync(at('very large'), 64 * MEBIBYTE);
      const hash = createHash('sha256').update(content).digest('hex');
      const [here, there] = [listing(), listing()];
      assert.equal(await hashFile(folder, 'large', stampNow('large'), { listing: here }), hash);
      assert.equal(thread.isRunning, false);
      const zeros = createHash('sha256')
        .update(Buffer.alloc(64 * MEBIBYTE))
        .digest('hex');
      const veryLarge = await hashFile(folder, 'very large', stampNow('very large'), { listing: there });
      assert.equal(veryLarge, zeros);
      assert.equal(thread.isRunning, true);
      assert.equal(await hashFile(folder, 'large', stampNow('large'), { listing: there }), hash);
      assert.ok(here.lists.get(hash));
      assert.deepEqual(there.lists.get(hash), here.lists.get(hash));
    });

    void it('is read no further by either thread once one of them has failed, or the program ends', async () => {
      writeFileSync(at('very large'), '');
      truncateSync(at('very large'), 4096 * MEBIBYTE);
      const abort = new AbortController();
      const { signal } = abort;
      const ends = [() => thread.close(), () => Promise.resolve(abort.abort(new Error('the program ends')))];
      for (const end of ends) {
        const before = bytesRead();
        const hashed = hashFile(folder, 'very large', stampNow('very large'), { listing: listing(), signal });
        await eventually('both read', () => bytesRead() - before > 8 * MEBIBYTE);
        await end();
        await assert.rejects(hashed, /thread that stages files ended|the program ends/);
        const mebibytes = (bytesRead() - before) / MEBIBYTE;
        assert.ok(mebibytes < 3000, `${mebibytes} MiB were read`);
      }
    });

    void it('is not made further once its reader is not wanted any more, and the thread has forgotten it', async () => {
      using lent = thread.lend();
      const abort = new AbortController();
      const { signal } = abort;
      const hashed = hashFile(folder, 'large', stampNow('large'), { listing: listing(), signal });
      // Its first part is being hashed.
      await turn();
      abort.abort(new Error('the program ends'));
      await assert.rejects(hashed, /the program ends/);
      const hash = createHash('sha256').update(content).digest('hex');
      assert.equal(await hashFile(folder, 'large', stampNow('large'), { listing: listing() }), hash);
      assert.ok(lent.thread.isAlive);
    });

    void it('is an error where the thread ends, or can not read it; it is that of less where there is less', async () => {
      using _lent = thread.lend();
      const hashed = hashFile(folder, 'large', stampNow('large'), { listing: listing() });
      await turn();
      await thread.close();
      await assert.rejects(hashed, /thread that stages files ended/);
      const goOn = (): void => undefined;
      await assert.rejects(hashInThread(folder.fd, 10, thread, goOn), { message: 'EISDIR' });
      const shorter = createHash('sha256').update(content).digest('hex');
      const fd = folder.openFile('large');
      assert.equal(await hashInThread(fd, 20 * MEBIBYTE, thread, goOn), shorter);
      closeSync(fd);
    });
  });
});
