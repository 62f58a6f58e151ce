import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textOf } from '#core/dialplan/finding.ts';
import { type DialplanReading, pictureOf } from '#core/dialplan/lint.ts';
import { closureOf } from '#core/dialplan/needs.ts';
import { folderWorld } from '../../../support/dialplan/folderWorld.ts';
import { readDialplan } from '../../../support/dialplan/atOnce.ts';

type Files = Readonly<Record<string, string>>;

function read(files: Files, outside: Files = {}): DialplanReading {
  return readDialplan(folderWorld(files, outside));
}

function errors(files: Files, outside: Files = {}): string[] {
  return read(files, outside)
    .findings.filter(({ severity }) => severity === 'error')
    .map(textOf);
}

function plan(files: Files, outside: Files = {}): string[] {
  return read(files, outside).priorities.map(
    ({ context, extension, priority, application, place }) =>
      `${context} ${extension},${String(priority)},${application} ${place.path}`,
  );
}

const USER = '[u]\nexten = 1,1,NoOp(u)\n#include "extensions_extra.d/parts/x.inc"\n same = n,NoOp(end)\n';

test('a file that is included from a subfolder is read where the include stands', () => {
  assert.deepEqual(plan({ 'a.conf': USER, 'parts/x.inc': ' same = n,NoOp(x)\n[v]\nexten = 2,1,NoOp(v)\n' }), [
    'u 1,1,NoOp(u) a.conf',
    'u 1,2,NoOp(x) parts/x.inc',
    'u 1,3,NoOp(end) a.conf',
    'v 2,1,NoOp(v) parts/x.inc',
  ]);
  assert.deepEqual(errors({ 'a.conf': USER, 'parts/x.inc': ' same = n,NoOp(x)\n' }), []);
});

test('an included file without a header goes on with the section that a header opened last, a (+) included', () => {
  const files = {
    'a.conf': `[u]\nexten = 1,1,NoOp(u)\n[v]\nexten = 2,1,NoOp(v)\n[u](+)\n#include "extensions_extra.d/parts/x.inc"\n`,
    'parts/x.inc': ' same = n,NoOp(x)\n',
  };
  assert.deepEqual(plan(files), [
    'u 1,1,NoOp(u) a.conf',
    'u 1,2,NoOp(x) parts/x.inc',
    'v 2,1,NoOp(v) a.conf',
  ]);
});

test('a block comment that runs over into the next file is an error of the file that it begins in', () => {
  const files = { 'a.conf': '[a]\n;--\n', 'b.conf': '--;\n[b]\n' };
  assert.match(
    errors(files)[0] ?? '',
    /^a\.conf, line 2: The block comment that begins here is not closed in this file/,
  );
});

test('an included file that is missing takes the rest of its includer and every later file', () => {
  const files = { 'a.conf': USER, 'b.conf': '[b]\nexten = 1,1,NoOp()\n' };
  assert.match(
    errors(files)[0] ?? '',
    /^a\.conf, line 3: #include of extensions_extra\.d\/parts\/x\.inc, which does/,
  );
  assert.deepEqual(plan(files), ['u 1,1,NoOp(u) a.conf']);
});

test('an included file that is broken takes its own rest, and its includer goes on', () => {
  const files = {
    'a.conf': USER,
    'parts/x.inc': '[broken\nexten = 5,1,NoOp()\n',
    'b.conf': '[b]\nexten = 1,1,NoOp()\n',
  };
  assert.deepEqual(errors(files), [
    "parts/x.inc, line 1: The section header has no closing ']': Asterisk drops the rest of this file.",
  ]);
  assert.deepEqual(plan(files), ['u 1,1,NoOp(u) a.conf', 'u 1,2,NoOp(end) a.conf', 'b 1,1,NoOp() b.conf']);
});

test('hidden files and files of subfolders are dialplan only where something includes them', () => {
  const hidden = { '.h.conf': '[broken', 'old/x.conf': '[broken' };
  assert.deepEqual(errors({ ...hidden, 'a.conf': '[a]\n' }), []);
  assert.equal(errors({ ...hidden, 'a.conf': '#include extensions_extra.d/.h.conf\n' }).length, 1);
  assert.equal(
    errors({ ...hidden, 'a.conf': '#include </etc/asterisk/extensions_extra.d/o*/*>\n' }).length,
    1,
  );
  assert.deepEqual(errors({ ...hidden, 'a.conf': '#tryinclude extensions_extra.d/nothing*\n' }), []);
});

test('a file that includes its own folder loses nothing, and is warned of', () => {
  const files = {
    'a.conf': '[a]\nexten = 1,1,NoOp(a)\n#include extensions_extra.d/*\n',
    'b.conf': '[b]\nexten = 2,1,NoOp(b)\n',
  };
  assert.deepEqual(errors(files), []);
  assert.deepEqual(plan(files), ['a 1,1,NoOp(a) a.conf', 'b 2,1,NoOp(b) b.conf']);
  assert.ok(read(files).findings.some(({ message }) => message.includes('leads back to this file')));
});

test('two files that include each other twice come to an end', () => {
  const twice = (name: string): string => `#include extensions_extra.d/${name}\n`.repeat(3);
  const { findings } = read({ 'a.conf': twice('b.conf'), 'b.conf': twice('a.conf') });
  assert.ok(findings.length > 0);
});

test('a template, the base of a (+) and an include are needs, and what leads to a file is its closure', () => {
  const { needs } = read({
    'a.conf': '[t](!)\nexten = 1,1,NoOp()\n[base]\n',
    'b.conf': '[u](t)\n[base](+)\nexten = 2,1,NoOp()\n#include extensions_extra.d/parts/*.inc\n',
    'parts/x.inc': '; x\n',
  });
  assert.deepEqual(
    needs.map(({ path, kind, from }) => [path, kind, from]),
    [
      ['b.conf', 'template', 'a.conf'],
      ['b.conf', 'base', 'a.conf'],
      ['b.conf', 'include', 'parts/x.inc'],
    ],
  );
});

const START = '[general]\n[from-outside](!)\nexten = 9,1,NoOp(t)\n#include extensions_extra.d/*\n[after]\n';

test('from extensions.conf on it is known what a file may lean on', () => {
  const outside = { '/etc/asterisk/extensions.conf': START };
  assert.deepEqual(errors({ 'a.conf': '[a](from-outside)\nexten = 1,1,NoOp()\n' }, outside), []);
  assert.deepEqual(errors({ 'a.conf': '[a](nowhere)\n' }, outside), [
    'a.conf, line 1: The template [nowhere] is not defined before: Asterisk drops the rest of this file and every file after it.',
  ]);
  assert.deepEqual(errors({ 'a.conf': '[a](nowhere)\n' }), []);
});

test('what a program prints, or a file that is too large to be read, decides is not judged', () => {
  const exec = '[a]\nexten = 100,1,NoOp()\n#exec /usr/bin/more\n same = n,NoOp()\n';
  const { priorities, hasUnknown } = read({ 'a.conf': exec });
  assert.equal(hasUnknown, true);
  assert.deepEqual(
    priorities.map(({ shown }) => shown),
    ['1. NoOp()', undefined],
  );
  const world = folderWorld({ 'b.conf': '[b](t)\n' });
  const core = { size: 600 * 1024 * 1024, head: Buffer.from('\x7fELF\0\0') };
  const withCore = {
    ...world,
    list: (folder: string) => [...world.list(folder), 'core'],
    read: (path: string) => (path.endsWith('/core') ? core : world.read(path)),
  };
  const reading = readDialplan(withCore);
  assert.deepEqual(
    reading.findings.map(({ path, severity }) => [path, severity]),
    [
      ['b.conf', 'warning'],
      ['core', 'error'],
    ],
  );
});

test('a path of more than 255 bytes leads nowhere, however short it could be written', () => {
  const include = (path: string): string[] =>
    read({ 'a.conf': `[a]\n#include "${path}"\n`, 'p/é.inc': '[x]\n' }).findings.map(
      ({ message }) => message,
    );
  const path = '/etc/asterisk/extensions_extra.d/p/é.inc';
  const ofLength = (bytes: number): string =>
    path.replace('/p/', `${'/'.repeat(bytes - Buffer.byteLength(path))}/p/`);
  assert.deepEqual(include(path), []);
  assert.match(include(ofLength(256)).join(), /which is longer than 255 bytes: Asterisk drops the rest/);
});

const MIB = 1024 * 1024;

test('a large text that is no dialplan is given up at its 1,000th error', () => {
  const { findings, loads } = read({ 'notes.txt': 'x\n'.repeat(4 * MIB), 'z.conf': '[z](t)\n' });
  const [first, ...others] = findings.filter(({ severity }) => severity === 'error');
  assert.match(first?.message ?? '', /more than 1000 others of the file: it is not dialplan/);
  assert.deepEqual(others, []);
  assert.equal(loads[0]?.countedAfter, 1001);
});

test('a large file is read up to its 2 MiB, and what is not read is not judged', () => {
  const line = 'exten = 1,n,NoOp(some text)\n';
  const large = `[a]\nexten = 1,1,NoOp\n${line.repeat((3 * MIB) / line.length)}`;
  const { findings, priorities, hasUnknown } = read({ 'large.conf': large, 'z.conf': '[z](t)\n' });
  assert.equal(hasUnknown, true);
  assert.deepEqual(
    findings.map(({ path, severity }) => [path, severity]),
    [
      ['large.conf', 'warning'],
      ['z.conf', 'warning'],
    ],
  );
  assert.ok(priorities.length > 70_000 && priorities.length < 80_000);
});

test('several large files are read as far as 4 MiB together', () => {
  const large = ';\n'.repeat(MIB - 10);
  const files = Object.fromEntries([1, 2, 3, 4].map((i) => [`${String(i)}.conf`, large]));
  assert.deepEqual(
    read(files).findings.map(({ path, message }) => [path, message.includes('too large together')]),
    [['4.conf', true]],
  );
});

test('an extension or a label that comes from a variable is taken on trust', () => {
  const { findings, priorities } = read({
    'a.conf':
      '[globals]\nX = 700\n[a]\nexten = ${X},1(l),NoOp()\n same = n,NoOp()\nexten = 700,1,NoOp(other)\n',
  });
  assert.deepEqual(findings, []);
  assert.deepEqual(
    priorities.map(({ shown }) => shown),
    [undefined, undefined, undefined],
  );
});

test('an archive is one finding', () => {
  const bytes = Buffer.from(Array.from({ length: 40_000 }, (_, i) => (i * 7919) % 251));
  const { findings } = readDialplan(folderWorld({ 'a.tar': bytes }));
  assert.deepEqual([findings.length, findings[0]?.path, findings[0]?.severity], [1, 'a.tar', 'error']);
});

test('the picture changes with what Asterisk reads and with nothing else', () => {
  const files = { 'a.conf': USER, 'parts/x.inc': '; x\n' };
  const picture = (more: Files): string => pictureOf(read({ ...files, ...more }));
  assert.equal(picture({ '.hidden': 'x', 'other/y.inc': 'y' }), picture({}));
  assert.notEqual(picture({ 'parts/x.inc': '; y\n' }), picture({}));
  assert.notEqual(picture({ 'b.conf': '' }), picture({}));
});

test('what an includer includes besides is not in the closure of a file', () => {
  const outside = { '/etc/asterisk/extensions.conf': START };
  const { needs } = read(
    { 'a.conf': '[a]\n', 'b.conf': '[b]\n#include extensions_extra.d/p/x.inc\n', 'p/x.inc': '' },
    outside,
  );
  assert.deepEqual([...closureOf(['a.conf'], needs)], ['a.conf', '/etc/asterisk/extensions.conf']);
  assert.ok(closureOf(['b.conf'], needs).has('p/x.inc'));
  assert.ok(closureOf(['p/x.inc'], needs).has('b.conf'));
});
