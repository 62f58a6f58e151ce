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

/** What a person reads. */
function printed(t: TestContext, count: number, options: HistoryOptions): string {
  const write = t.mock.method(process.stdout, 'write', () => true);
  try {
    printHistory(
      Array.from({ length: count }, () => ENTRY),
      options,
      'xivo-xds-sync',
    );
    return write.mock.calls.map(({ arguments: [text] }) => String(text)).join('');
  } finally {
    write.mock.restore();
  }
}

void test('the latest entries are a glance, those since a time are all of a day', () => {
  assert.equal(askedEntries({}).limit, 50);
  assert.equal(askedEntries({ until: '2026-11-24' }).limit, 50);
  assert.equal(askedEntries({ since: '2026-11-24' }).limit, 10_000);
  assert.equal(askedEntries({ since: '2026-11-24', limit: '7' }).limit, 7);
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

void test('entries that a limit cut off are not missed in silence, where a time was asked for', (t) => {
  const cut = /only the 3 most recent entries of that time: --limit shows more/;
  assert.match(printed(t, 3, { since: '2026-11-24', limit: '3' }), cut);
  assert.doesNotMatch(printed(t, 2, { since: '2026-11-24', limit: '3' }), cut);
  assert.doesNotMatch(printed(t, 3, { limit: '3' }), cut);
  assert.match(printed(t, 0, {}), /^no entries$/m);
});
