import assert from 'node:assert/strict';
import { mkdirSync, renameSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import type { DirectoryConfig } from '#host/config/directoryConfig.ts';
import { MainPlace } from '../../../support/unit/mainDirectory.ts';

const TO_MDS = { direction: 'to-mds', deletions: 'main' } as const;

/** A directory of Main, after a folder of so many files was renamed in it. */
async function renamed(
  t: TestContext,
  { files, ...config }: Partial<DirectoryConfig> & { readonly files: number },
): Promise<MainPlace> {
  const names = Array.from({ length: files }, (_, number) => `folder/deep/${number}.wav`);
  const contents = Object.fromEntries(names.map((name) => [name, name]));
  const place = await MainPlace.make(t, { ...TO_MDS, ...config }, { 'kept.wav': 'kept', ...contents });
  mkdirSync(place.at('there'));
  await place.directory.readAgain();
  await moved(place, 'folder/deep', 'there/other');
  return place;
}

/** Renames it, and has both names looked at, as their watch does. */
async function moved(place: MainPlace, from: string, to: string): Promise<void> {
  renameSync(place.at(from), place.at(to));
  await place.directory.replica.recheck([from, to]);
}

describe('Main says that a folder has another name', () => {
  it('once, before it publishes the changes of its files', async (t) => {
    const place = await renamed(t, { files: 30 });
    assert.deepEqual(place.renamedFolders, [{ directory: 'files', from: 'folder/deep', to: 'there/other' }]);
    const later = place.revisions.slice(place.revisionsWhenRenamed).flatMap(({ items }) => items);
    const gone = later.flatMap(({ path, shown }) => (shown.kind === 'gone' ? [path] : []));
    assert.equal(gone.length, 31, 'its files, and itself');
    assert.ok(gone.includes('folder/deep') && gone.includes('folder/deep/0.wav'));
    await moved(place, 'there/other', 'folder/deep');
    assert.deepEqual(place.renamedFolders.at(-1), {
      directory: 'files',
      from: 'there/other',
      to: 'folder/deep',
    });
    assert.equal(place.renamedFolders.length, 2);
  });

  const others: Record<string, Partial<DirectoryConfig> & { readonly files: number }> = {
    'of a few files': { files: 19 },
    'of recordings': { files: 30, direction: 'both', deletions: 'both' },
    'of which nothing is ever removed': { files: 30, deletions: 'never' },
    'that Asterisk reads as a whole': { files: 30, reload: 'moh' },
  };
  for (const [what, config] of Object.entries(others)) {
    it(`but not of a folder ${what}`, async (t) => {
      assert.deepEqual((await renamed(t, config)).renamedFolders, []);
    });
  }

  it('but not of one whose name is taken again', async (t) => {
    const names = Array.from({ length: 30 }, (_, number) => `${number}.wav`);
    const contents = Object.fromEntries(names.map((name) => [`folder/${name}`, name]));
    const place = await MainPlace.make(t, TO_MDS, contents);
    renameSync(place.at('folder'), place.at('other'));
    await place.directory.replica.recheck(['folder']);
    mkdirSync(place.at('folder'));
    await place.directory.replica.recheck(['other']);
    assert.ok(place.directory.replica.get('other/0.wav'));
    assert.deepEqual(place.renamedFolders, []);
  });

  it('but not of one that is still there, from which its files were moved', async (t) => {
    const names = Array.from({ length: 30 }, (_, number) => `${number}.wav`);
    const contents = Object.fromEntries(names.map((name) => [`folder/${name}`, name]));
    const place = await MainPlace.make(t, TO_MDS, contents);
    mkdirSync(place.at('other'));
    for (const name of names) renameSync(place.at(`folder/${name}`), place.at(`other/${name}`));
    await place.directory.readAgain();
    assert.deepEqual(place.renamedFolders, []);
  });
});
