import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { fetchChangeSet, fetchTrash, overviewIn } from '../../../../controller/page/client/received.ts';

const OVERVIEW = { status: {}, behind: {}, changeSets: [], conflicts: [], excerpts: {} };
const { signal } = new AbortController();

/** The browser's fetch, as the server in front of Main answers. */
function answering(t: TestContext, answer: unknown, status = 200): string[] {
  const asked: string[] = [];
  // Of two, node:test would put the first back last.
  t.mock.restoreAll();
  t.mock.method(globalThis, 'fetch', (address: string) => {
    asked.push(address);
    return Promise.resolve(Response.json(answer, { status }));
  });
  return asked;
}

void test('an overview is what has all that the page shows of it', () => {
  assert.deepEqual(overviewIn(JSON.stringify(OVERVIEW)), OVERVIEW);
  for (const text of ['', '<html>', 'null', '[]', '7', '{}', '"x"'])
    assert.equal(overviewIn(text), undefined, text);
  for (const name of Object.keys(OVERVIEW))
    for (const wrong of [undefined, null, 'x', 7])
      assert.equal(overviewIn(JSON.stringify({ ...OVERVIEW, [name]: wrong })), undefined, name);
  assert.equal(overviewIn(JSON.stringify({ ...OVERVIEW, conflicts: {} })), undefined);
  assert.equal(overviewIn(JSON.stringify({ ...OVERVIEW, behind: [] })), undefined);
});

void test('a trash that is refused, or is something else, is none', async (t) => {
  const listing = { items: [], more: 0, problems: [] };
  answering(t, listing);
  assert.deepEqual(await fetchTrash(signal), listing);
  answering(t, { ...listing, more: '0' });
  assert.equal(await fetchTrash(signal), undefined);
  answering(t, listing, 503);
  assert.equal(await fetchTrash(signal), undefined);
});

void test('a change set is asked for by its id, whatever is in it, and may have no text for callers', async (t) => {
  const details = { id: 'a/b', directory: 'moh', dialplan: null, rows: [], diffs: [] };
  const asked = answering(t, details);
  assert.deepEqual(await fetchChangeSet('a/b?c', signal), details);
  assert.deepEqual(asked, ['api/change/a%2Fb%3Fc']);
  answering(t, { ...details, id: 7 });
  assert.equal(await fetchChangeSet('x', signal), undefined);
});
