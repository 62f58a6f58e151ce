import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownMemory } from '#host/memory/ownMemory.ts';
import { partsAsInFile, unmapOwnProgram } from '#host/memory/ownProgram.ts';
import { memoryOfFiles } from '../../../support/unit/memoryOfFiles.ts';

const MB = 2 ** 20;
const NODE = '/usr/lib/xivo-xds-sync/node';

/** A part as /proc/self/smaps describes it. */
function described(access: string, file: string, flags = 'rd mr mw me', anonymous = 0): string {
  return [
    `7f0000001000-7f0000003000 ${access} 00001000 fe:00 1234                       ${file}`,
    'Size:                  8 kB',
    'Rss:                   8 kB',
    `Anonymous:             ${anonymous} kB`,
    `VmFlags: ${flags} `,
    '',
  ].join('\n');
}

void test('only what is as in the file of the program, and can not be written, is taken out', () => {
  const part = { start: 0x7f0000001000n, length: 0x2000n };
  assert.deepEqual(partsAsInFile(described('r-xp', NODE), NODE), [part]);
  assert.deepEqual(partsAsInFile(described('r--p', NODE), NODE), [part]);
  for (const [access, file, flags, anonymous] of [
    ['rw-p', NODE, 'rd wr mr mw me ac'],
    ['r-xs', NODE],
    ['rwxp', NODE, 'rd wr ex mr mw me ac'],
    // What the linker has written before it was made read-only, and the kernel has swapped out since.
    ['r--p', NODE, 'rd mr mw me ac'],
    // Where a debugger has set a breakpoint.
    ['r-xp', NODE, 'rd ex mr mw me', 4],
    ['r-xp', '/usr/lib/x86_64-linux-gnu/libc.so.6'],
    // An upgrade has replaced it: the file at this path is another one.
    ['r-xp', `${NODE} (deleted)`],
    ['rw-p', ''],
    ['rw-p', '[heap]'],
  ] as const)
    assert.deepEqual(partsAsInFile(described(access, file, flags, anonymous), NODE), [], `${access} ${file}`);
  const all = described('rw-p', '[heap]') + described('r--p', NODE) + described('rw-p', NODE, 'rd wr ac');
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
