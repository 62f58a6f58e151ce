import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { askedEntries, type HistoryOptions, printHistory } from '#host/cli/historyOptions.ts';
import { UsageError } from '#host/cli/usageError.ts';
import type { HistoryEntry } from '#host/control/past.ts';

const ENTRY: HistoryEntry = {
  at: '2026-11-24T17:59:00.000Z',
  mds: 'main',
  directory: 'moh',
  changeSet: 'set',
  kind: 'changed',
  detail: 'changed',
  path: 'hold.wav',
  reason: null,
  actor: 'watcher',
  bytes: 7,
  durationMs: 12,
  save: null,
  number: 1,
};

/** What a person reads of change sets with so many files each, the newest first. */
function printed(t: TestContext, sets: readonly number[], options: HistoryOptions): string {
  const write = t.mock.method(process.stdout, 'write', () => true);
  const entries = sets.flatMap((files, set) =>
    Array.from({ length: files }, (_, file) => ({
      ...ENTRY,
      changeSet: `set${set}`,
      detail: `${file}.wav: changed`,
    })),
  );
  try {
    printHistory(entries, options, 'xivo-xds-sync');
    return write.mock.calls.map(({ arguments: [text] }) => String(text)).join('');
  } finally {
    write.mock.restore();
  }
}

const headings = (text: string): string[] => [...text.matchAll(/\((set\d+)\)$/gm)].map(([, id = '']) => id);

void test('people ask for change sets, however many files each has, and programs for files', () => {
  assert.equal(askedEntries({}).limit, 10_000);
  assert.equal(askedEntries({ since: '2026-11-24', limit: '7' }).limit, 10_000);
  assert.equal(askedEntries({ limit: '200' }).limit, 40_000);
  assert.equal(askedEntries({ limit: '100000' }).limit, 100_000);
  assert.equal(askedEntries({ json: true }).limit, 50);
  assert.equal(askedEntries({ json: true, until: '2026-11-24' }).limit, 50);
  assert.equal(askedEntries({ json: true, since: '2026-11-24' }).limit, 10_000);
  assert.equal(askedEntries({ json: true, since: '2026-11-24', limit: '7' }).limit, 7);
});

void test('a large change set hides no earlier one, and its files are counted in full', (t) => {
  const text = printed(t, [600, 2], {});
  assert.deepEqual(headings(text), ['set0', 'set1']);
  assert.match(text, /^ {2}main {2}and 590 more: xivo-xds-sync history --changeset set0$/m);
  assert.doesNotMatch(printed(t, [600], { changeset: 'set0' }), /more/);
  assert.deepEqual(headings(printed(t, Array(60).fill(1), {})).length, 50);
  assert.deepEqual(headings(printed(t, [3, 3, 3], { limit: '2' })), ['set0', 'set1']);
  assert.deepEqual(headings(printed(t, Array(60).fill(1), { since: '2026-11-24' })).length, 60);
});

void test('a limit or a time that is none names its option', () => {
  for (const [options, name] of [
    [{ limit: '0' }, /--limit/],
    [{ limit: '100001' }, /--limit/],
    [{ since: 'whenever' }, /--since/],
    [{ until: 'whenever' }, /--until/],
  ] as const)
    assert.throws(
      () => askedEntries(options),
      (error: unknown) => error instanceof UsageError && name.test(error.message),
    );
});

void test('what a limit cut off is not missed in silence, where a time was asked for', (t) => {
  const cut = /^only the 3 most recent change sets of that time: --limit shows more$/m;
  assert.match(printed(t, [1, 1, 1, 1], { since: '2026-11-24', limit: '3' }), cut);
  assert.doesNotMatch(printed(t, [1, 1, 1], { since: '2026-11-24', limit: '3' }), cut);
  assert.doesNotMatch(printed(t, [1, 1, 1, 1], { limit: '3' }), cut);
  const files = /^only the 10000 most recent files: --limit or --until shows others$/m;
  assert.match(printed(t, [4_000, 6_000], { since: '2026-11-24' }), files);
  assert.match(printed(t, [10_000], {}), files);
  assert.doesNotMatch(printed(t, [4_000, 5_999], { since: '2026-11-24' }), files);
  assert.match(printed(t, [], {}), /^no entries$/m);
});
