import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import type { FileEntry } from '#core/manifest/entry.ts';
import { copyWhatIsHere } from '../../../../../agent/directory/jobs/localCopy.ts';
import { AgentPlace } from '../../../../support/unit/agentPlace.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';

/** What was copied, by path, and what is left to be fetched. */
async function copied(
  place: AgentPlace,
  wanted: Readonly<Record<string, FileEntry>>,
): Promise<{ staged: Record<string, string>; missing: string[] }> {
  using staging = place.sync.applier.begin(0);
  const staged: Record<string, string> = {};
  const missing = await copyWhatIsHere(
    place.sync.replica,
    staging,
    Object.entries(wanted).map(([path, entry]) => ({ path, entry })),
    (path) => (outcome) => {
      assert.equal(outcome.result, 'staged', 'a copy that fails is fetched instead');
      if (outcome.result === 'staged')
        staged[path] = staging.withFile(outcome.staged, (fd) => readFileSync(fd, 'utf8'));
    },
  );
  return { staged, missing: missing.map(({ path }) => path) };
}

const make = (t: TestContext): Promise<AgentPlace> =>
  AgentPlace.make(t, { 'folder/old name': 'the same content', empty: '', other: 'something else' });

void test('content that is here under another name is copied, as often as it is wanted, and the rest fetched', async (t) => {
  const place = await make(t);
  const entry = fileEntry('the same content', 0o600);
  assert.deepEqual(await copied(place, { 'new/name': entry, copy: entry, never: fileEntry('not here') }), {
    staged: { 'new/name': 'the same content', copy: 'the same content' },
    missing: ['never'],
  });
});

void test('nothing is staged where nothing of it is here, and no empty file is looked for', async (t) => {
  const place = await make(t);
  assert.deepEqual(await copied(place, { a: fileEntry('not here'), b: fileEntry('') }), {
    staged: {},
    missing: ['a', 'b'],
  });
  assert.deepEqual(await copied(place, {}), { staged: {}, missing: [] });
});

void test('a source that has changed since it was scanned, or is gone, is fetched', async (t) => {
  const place = await make(t);
  const entry = fileEntry('the same content');
  place.write('folder/old name', 'THE SAME CONTENT');
  assert.deepEqual(await copied(place, { name: entry }), { staged: {}, missing: ['name'] });
  rmSync(place.at('folder'), { recursive: true });
  assert.deepEqual(await copied(place, { name: entry }), { staged: {}, missing: ['name'] });
});

void test('a large copy ends when the directory is being closed', async (t) => {
  const place = await make(t);
  const content = 'x'.repeat(64 << 20);
  place.write('large', content);
  await place.sync.readAgain();
  const copying = copied(place, { name: fileEntry(content) });
  await Promise.all([assert.rejects(copying, /the directory is being closed/), place.sync.applier.close()]);
});
