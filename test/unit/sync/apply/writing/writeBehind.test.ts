import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PIECE_BYTES, WriteBehind } from '#sync/apply/writing/writeBehind.ts';
import { eventually } from '../../../../support/harness/host.ts';
import { sameBytes } from '../../../../support/unit/sameBytes.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-behind-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const isOpen = (fd: number): boolean => existsSync(`/proc/self/fd/${fd}`);

void test('pieces of any size, in a buffer that is used again, are written and taken in order', async (t) => {
  const folder = folderOf(t);
  const content = sameBytes('content', 3 * PIECE_BYTES + 12_345);
  const buffer = Buffer.alloc(content.length);
  for (const [number, sizes] of [
    [1_000],
    [100_000, 200_000],
    [300_000, 7],
    [content.length],
    [0, 70_001],
  ].entries()) {
    const file = path.join(folder, String(number));
    const taken: Buffer[] = [];
    const behind = new WriteBehind(openSync(file, 'wx'), (piece) => taken.push(Buffer.from(piece)));
    for (let at = 0, turn = 0; at < content.length; turn++) {
      const length = content.copy(buffer, 0, at, at + (sizes[turn % sizes.length] ?? 0));
      await behind.add(buffer.subarray(0, length));
      buffer.fill(0);
      at += length;
    }
    await behind.flush();
    behind.close();
    assert.ok(readFileSync(file).equals(content), `pieces of ${sizes.join(', ')}`);
    assert.ok(Buffer.concat(taken).equals(content));
  }
});

void test('the error of a write comes with a later piece, and with the end', async () => {
  const behind = new WriteBehind(openSync('/dev/full', 'w'), () => undefined);
  await assert.rejects(async () => {
    for (let piece = 0; piece < 10; piece++) await behind.add(Buffer.alloc(PIECE_BYTES / 4));
  }, /ENOSPC/);
  await assert.rejects(behind.flush(), /ENOSPC/);
  behind.close();
});

void test('what is written is synced before its end, and an error of that is not lost', async () => {
  // A device that takes everything, and refuses to be synced.
  const behind = new WriteBehind(openSync('/dev/null', 'w'), () => undefined);
  const piece = Buffer.alloc(PIECE_BYTES);
  await behind.add(piece);
  await behind.flush();
  for (let pieces = 0; pieces < 64; pieces++) await behind.add(piece);
  await assert.rejects(behind.flush(), /EINVAL/);
  behind.close();
});

void test('its file is closed when the last write has ended, and what was only gathered is dropped', async (t) => {
  const pipe = path.join(folderOf(t), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, 'r+');
  const fd = openSync(pipe, 'w');
  const behind = new WriteBehind(fd, () => undefined);
  // More than a pipe holds.
  const part = Buffer.alloc(PIECE_BYTES / 8);
  for (let parts = 0; parts < 9; parts++) await behind.add(part);
  behind.close();
  await turn();
  assert.ok(isOpen(fd), 'it is still being written');
  const all = Buffer.alloc(PIECE_BYTES);
  for (let read = 0; read < PIECE_BYTES;) read += readSync(reader, all);
  await eventually('it is closed', () => !isOpen(fd));
  closeSync(reader);
});
