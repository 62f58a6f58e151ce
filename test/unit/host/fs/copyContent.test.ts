import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { copyContent } from '#host/fs/copyContent.ts';

const UNTIL = new AbortController().signal;

void describe('A copy of a content', () => {
  let folder: string;
  const at = (name: string): string => path.join(folder, name);
  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'xds-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  void it('is the content, in place of what was there', async () => {
    const content = Buffer.alloc(3 * 1024 * 1024 + 17, 'abc');
    writeFileSync(at('from'), content);
    // The second copy knows what the first one found out of the file system, and goes another way.
    for (const already of [Buffer.alloc(4 * 1024 * 1024, 'x'), Buffer.alloc(5 * 1024 * 1024, 'y')]) {
      writeFileSync(at('to'), already);
      await copyContent(at('from'), at('to'), UNTIL);
      assert.ok(readFileSync(at('to')).equals(content));
    }
  });

  void it('of an empty file is empty', async () => {
    writeFileSync(at('from'), '');
    await copyContent(at('from'), at('to'), UNTIL);
    assert.equal(readFileSync(at('to'), 'utf8'), '');
  });

  void it('ends where the file has fewer bytes than its size says, as when it becomes shorter meanwhile', async () => {
    // Node's copyFile asks for the missing bytes for ever: 4,096 of them here, where there are less than ten.
    const short = '/sys/class/net/lo/mtu';
    await copyContent(short, at('to'), UNTIL);
    assert.ok(statSync(short).size > statSync(at('to')).size);
    assert.equal(readFileSync(at('to'), 'utf8'), readFileSync(short, 'utf8'));
  });

  void it('ends with the signal, before the next block', async () => {
    writeFileSync(at('from'), Buffer.alloc(3 * 1024 * 1024));
    const end = new AbortController();
    const copied = copyContent(at('from'), at('to'), end.signal);
    // It waits for the first file to be open.
    end.abort(new Error('ended'));
    await assert.rejects(copied, /ended/);
    assert.equal(statSync(at('to')).size, 0);
  });

  void it('does not begin once the signal was given, however small the file is', async () => {
    writeFileSync(at('from'), 'small');
    await assert.rejects(copyContent(at('from'), at('to'), AbortSignal.abort(new Error('ended'))), /ended/);
    assert.equal(existsSync(at('to')), false);
  });

  void it('says what is wrong where there is nothing to copy', async () => {
    await assert.rejects(copyContent(at('nothing'), at('to'), UNTIL), { code: 'ENOENT' });
  });
});
