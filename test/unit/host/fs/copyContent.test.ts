import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { copyContent } from '#host/fs/copyContent.ts';

void describe('A copy of a content', () => {
  let folder: string;
  const at = (name: string): string => path.join(folder, name);
  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'xds-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  void it('is the content, in place of what was there', async () => {
    const content = Buffer.alloc(3 * 1024 * 1024 + 17, 'abc');
    writeFileSync(at('from'), content);
    writeFileSync(at('to'), Buffer.alloc(4 * 1024 * 1024, 'x'));
    await copyContent(at('from'), at('to'));
    assert.ok(readFileSync(at('to')).equals(content));
  });

  void it('of an empty file is empty', async () => {
    writeFileSync(at('from'), '');
    await copyContent(at('from'), at('to'));
    assert.equal(readFileSync(at('to'), 'utf8'), '');
  });

  void it('ends where the file becomes shorter meanwhile', { timeout: 20_000 }, async () => {
    writeFileSync(at('from'), Buffer.alloc(64 * 1024 * 1024));
    const copied = copyContent(at('from'), at('to'));
    // While it is under way: every turn of the loop, until it has ended.
    const shorten = setInterval(() => truncateSync(at('from'), 10), 1);
    try {
      await copied;
    } finally {
      clearInterval(shorten);
    }
  });

  void it('says what is wrong where there is nothing to copy', async () => {
    await assert.rejects(copyContent(at('nothing'), at('to')), { code: 'ENOENT' });
  });
});
