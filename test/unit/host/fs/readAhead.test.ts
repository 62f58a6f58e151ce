import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { readAhead } from '#host/fs/readAhead.ts';

const MIB = 1024 * 1024;

void describe('Reading ahead', () => {
  let folder: string;
  let fd: number;
  const content = Buffer.alloc(3 * MIB + 17);
  for (let i = 0; i < content.length; i++) content[i] = (i * 31) % 251;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'xds-'));
    writeFileSync(path.join(folder, 'file'), content);
    fd = openSync(path.join(folder, 'file'), 'r');
  });
  afterEach(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  async function read(range?: { start?: number; end?: number }): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of readAhead(fd, range)) pieces.push(Buffer.from(piece));
    return Buffer.concat(pieces);
  }

  void it('reads a file, or a part of it', async () => {
    assert.ok((await read()).equals(content));
    assert.ok((await read({ start: 5, end: 2 * MIB + 3 })).equals(content.subarray(5, 2 * MIB + 3)));
    assert.ok((await read({ start: 3 * MIB, end: 9 * MIB })).equals(content.subarray(3 * MIB)));
    assert.equal((await read({ start: 7, end: 7 })).length, 0);
  });

  void it('reads file after file into the same memory, and two at a time into different memory', async (t) => {
    const both = async (): Promise<void> => {
      for (const each of await Promise.all([read(), read()])) assert.ok(each.equals(content));
    };
    await both();
    const allocate = t.mock.method(Buffer, 'allocUnsafeSlow');
    for (let round = 0; round < 10; round++) await both();
    assert.equal(allocate.mock.callCount(), 0);
  });

  void it('leaves no read behind when the caller stops early, so that its memory can be lent again', async (t) => {
    // The one that has just ended still counts.
    const reads = (): number =>
      process.getActiveResourcesInfo().filter((what) => what === 'FSReqCallback').length;
    await read();
    const allocate = t.mock.method(Buffer, 'allocUnsafeSlow');
    for (let round = 0; round < 10; round++) {
      for await (const piece of readAhead(fd)) {
        assert.equal(piece[0], content[0]);
        assert.equal(reads(), 2);
        break;
      }
      assert.equal(reads(), 1);
    }
    assert.equal(allocate.mock.callCount(), 0);
  });
});
