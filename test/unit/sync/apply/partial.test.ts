import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { Folder } from '#host/fs/folder.ts';
import { partialBytes, totalPartialBytes, trimPartial } from '#sync/apply/partial.ts';

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;

/** The parts that interrupted transfers left: so many milliseconds ago, by name. */
function partsOf(t: TestContext, ages: Readonly<Record<string, number>>): Folder {
  const at = mkdtempSync(path.join(os.tmpdir(), 'xds-partial-'));
  for (const [name, age] of Object.entries(ages)) {
    writeFileSync(path.join(at, name), name);
    utimesSync(path.join(at, name), new Date(), new Date(NOW - age));
  }
  const folder = Folder.openRoot(at);
  t.after(() => {
    folder.close();
    rmSync(at, { recursive: true });
  });
  return folder;
}

const left = (folder: Folder): string[] => readdirSync(`/proc/self/fd/${folder.fd}`).sort();

void test('what was received of a content is found by its hash', (t) => {
  const folder = partsOf(t, { abc: 0, defgh: 0 });
  assert.equal(partialBytes(folder, 'defgh'), 5);
  assert.equal(partialBytes(folder, 'other'), 0);
  assert.equal(totalPartialBytes(folder), 8);
});

void test('a part that was not resumed within a day is removed, unless it is being received', (t) => {
  const folder = partsOf(t, { young: 24 * HOUR - 1_000, old: 24 * HOUR, busy: 48 * HOUR, future: -HOUR });
  trimPartial(folder, new Set(['busy']), NOW);
  assert.deepEqual(left(folder), ['busy', 'future', 'young']);
});

void test('of too many parts the newest stay', (t) => {
  const ages = Object.fromEntries(Array.from({ length: 66 }, (_, age) => [`part ${age}`, age * 1_000]));
  const folder = partsOf(t, ages);
  trimPartial(folder, new Set(['part 65']), NOW);
  assert.equal(left(folder).length, 65);
  assert.deepEqual(
    ['part 63', 'part 64', 'part 65'].map((name) => left(folder).includes(name)),
    [true, false, true],
  );
});

void test('a part that was finished meanwhile is no error, any other failure is', (t) => {
  const folder = partsOf(t, { old: 48 * HOUR });
  for (const code of ['ENOENT', 'EIO']) {
    const mock = t.mock.method(folder, 'removeFile', () => {
      throw Object.assign(new Error(code), { code });
    });
    if (code === 'ENOENT') trimPartial(folder, new Set(), NOW);
    else assert.throws(() => trimPartial(folder, new Set(), NOW), { code });
    mock.mock.restore();
  }
});
