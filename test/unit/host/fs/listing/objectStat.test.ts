import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import type { ObjectStat } from '#host/fs/listing/objectStat.ts';
import { openFolder } from '../../../../support/unit/openFolder.ts';

/** All that is said of an object. */
function everything(stat: ObjectStat | undefined): unknown {
  if (stat === undefined) return undefined;
  const { dev, ino, size, mode, uid, gid, mtimeNs, ctimeNs, birthtimeNs } = stat;
  const kinds = [stat.isFile(), stat.isDirectory(), stat.isSymbolicLink(), stat.isFIFO(), stat.isSocket()];
  return { dev, ino, size, mode, uid, gid, mtimeNs, ctimeNs, birthtimeNs, kinds };
}

void test('a look at a name says what lstat says', async (t) => {
  const { folder, path: at } = openFolder(t);
  const inside = (name: string): string => path.join(at, name);
  for (const [name, time] of [
    ['new', 1_700_000_000.25],
    ['ä ü', 0],
    ['old', -86_400.5],
    ['n'.repeat(255), 4_000_000_000],
  ] as const) {
    writeFileSync(inside(name), name);
    utimesSync(inside(name), time, time);
  }
  truncateSync(inside('new'), 5 * 2 ** 32);
  chmodSync(inside('old'), 0o6751);
  if (process.getuid?.() === 0) chownSync(inside('old'), 3_000_000_000, 7);
  mkdirSync(inside('folder'), 0o700);
  symlinkSync('new', inside('link'));
  lutimesSync(inside('link'), 1, 1);
  execFileSync('mkfifo', [inside('fifo')]);
  const server = createServer().listen(inside('socket'));
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { birthtimeNs } = lstatSync(inside('old'), { bigint: true });
  // The clock of a file system ticks every few milliseconds.
  while (lstatSync(inside('old'), { bigint: true }).ctimeNs === birthtimeNs) chmodSync(inside('old'), 0o6751);
  const names = folder.list();
  assert.equal(names.length, 8);
  for (const name of names)
    assert.deepEqual(
      everything(folder.stat(name)),
      everything(lstatSync(inside(name), { bigint: true })),
      name,
    );
});

void test('a name that is not UTF-8 is looked at by its bytes', (t) => {
  const { folder, path: at } = openFolder(t);
  writeFileSync(Buffer.concat([Buffer.from(`${at}/caf`), Buffer.of(0xe9)]), '12345');
  assert.equal(folder.stat('caf\udce9')?.size, 5n);
});

void test('what is missing is no error, and all else is', (t) => {
  const { folder, path: at } = openFolder(t);
  assert.equal(folder.stat('missing'), undefined);
  writeFileSync(path.join(at, 'file'), '');
  assert.equal(folder.stat('file/below'), undefined);
  assert.throws(() => folder.stat('n'.repeat(300)), { code: 'ENAMETOOLONG', syscall: 'lstat' });
});
