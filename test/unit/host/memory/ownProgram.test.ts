import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownMemory } from '#host/memory/ownMemory.ts';
import { partsAsInFile, unmapOwnProgram } from '#host/memory/ownProgram.ts';
import { memoryOfFiles } from '../../../support/unit/memoryOfFiles.ts';

const MB = 2 ** 20;
const NODE = '/usr/lib/xivo-xds-sync/node';

/** A part as /proc/self/smaps describes it. */
function described(access: string, file: string, anonymous = 0): string {
  return [
    `7f0000001000-7f0000003000 ${access} 00001000 fe:00 1234                       ${file}`,
    'Size:                  8 kB',
    'Rss:                   8 kB',
    `Anonymous:             ${anonymous} kB`,
    'VmFlags: rd mr mw me',
    '',
  ].join('\n');
}

void test('only what is as in the file of the program, and can not be written, is taken out', () => {
  const part = { start: 0x7f0000001000n, length: 0x2000n };
  assert.deepEqual(partsAsInFile(described('r-xp', NODE), NODE), [part]);
  assert.deepEqual(partsAsInFile(described('r--p', NODE), NODE), [part]);
  for (const [access, file, anonymous] of [
    ['rw-p', NODE, 0],
    ['r-xs', NODE, 0],
    ['rwxp', NODE, 0],
    // What the linker has written before it was made read-only.
    ['r--p', NODE, 24],
    ['r-xp', '/usr/lib/x86_64-linux-gnu/libc.so.6', 0],
    // An upgrade has replaced it: the file at this path is another one.
    ['r-xp', `${NODE} (deleted)`, 0],
    ['rw-p', '', 0],
    ['rw-p', '[heap]', 0],
  ] as const)
    assert.deepEqual(partsAsInFile(described(access, file, anonymous), NODE), [], `${access} ${file}`);
  const all = described('rw-p', '[heap]', 8) + described('r--p', NODE) + described('rw-p', NODE, 4);
  assert.deepEqual(partsAsInFile(all, NODE), [part]);
  assert.deepEqual(partsAsInFile('', NODE), []);
});

void test('most of Node leaves the memory of a process that goes on as before', () => {
  const before = memoryOfFiles();
  unmapOwnProgram();
  const after = memoryOfFiles();
  assert.ok(after < before / 2, `${before} bytes of files before, ${after} after`);
  assert.equal(JSON.stringify({ still: [1, 2, 3].map((n) => n * 2) }), '{"still":[2,4,6]}');
});

void test("a process's own memory is that of its objects, and not that of its program", () => {
  const before = ownMemory();
  const files = memoryOfFiles();
  assert.ok(before > 5 * MB && before + files / 2 < process.memoryUsage.rss());
  const more = Buffer.alloc(64 * MB, 1);
  assert.ok(ownMemory() - before > more.length / 2);
  unmapOwnProgram();
  assert.ok(ownMemory() - before > more.length / 2);
});
