import assert from 'node:assert/strict';
import { openSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import type { Entry } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { StagedFile } from '#sync/apply/stagedFile.ts';
import { missingContents, rollBack } from '../../../../controller/versions/rollBack.ts';
import type { UndoStep } from '../../../../controller/versions/undo.ts';
import { fileEntry, folderEntry, linkEntry } from '../../../support/unit/applyPlace.ts';
import { MainPlace } from '../../../support/unit/mainDirectory.ts';

/** A directory of Main that keeps these older contents. */
async function make(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  kept: readonly string[] = [],
): Promise<{
  main: MainPlace;
  here: (path: string) => Entry;
  run: (steps: readonly UndoStep[]) => Promise<string[]>;
}> {
  const main = await MainPlace.make(t, { direction: 'to-mds', deletions: 'main', reload: 'dialplan' }, files);
  for (const content of kept) main.versions.contents.keep(fileEntry(content).hash, Buffer.from(content));
  const here = (path: string): Entry => {
    const entry = entryOf(main.directory.replica.get(path));
    assert.ok(entry, path);
    return entry;
  };
  const run = async (steps: readonly UndoStep[]): Promise<string[]> => {
    const how = { reason: 'rolled back', actor: 'command by alice' };
    const { outcomes } = await rollBack(main.directory, main.versions, steps, how, () => undefined);
    return outcomes.map(({ step, result }) => `${step.path} ${result}`);
  };
  return { main, here, run };
}

void test('older contents, modes and names come back as one change set, and what they replace is in the trash', async (t) => {
  const { main, here, run } = await make(t, { a: 'new', mode: 'mode', added: 'added' }, ['old', 'gone']);
  const steps: UndoStep[] = [
    { kind: 'put', path: 'a', entry: fileEntry('old') },
    { kind: 'remove', path: 'added', entry: here('added') },
    { kind: 'put', path: 'd', entry: folderEntry() },
    { kind: 'put', path: 'd/gone', entry: fileEntry('gone') },
    { kind: 'put', path: 'link', entry: linkEntry('a') },
    { kind: 'metadata', path: 'mode', entry: { ...here('mode'), mode: 0o600 } as Entry },
  ];
  assert.deepEqual(missingContents(steps, main.versions), []);
  const results = await run(steps);
  assert.deepEqual(
    results,
    steps.map(({ path }) => `${path} done`),
  );
  assert.equal(readFileSync(main.at('a'), 'utf8'), 'old');
  assert.equal(readFileSync(main.at('d/gone'), 'utf8'), 'gone');
  assert.equal(statSync(main.at('mode')).mode & 0o777, 0o600);
  assert.deepEqual((await main.trash()).map(([path]) => path).toSorted(), ['a', 'added']);
  const { actor, save } = main.directory.originators.of('a');
  assert.equal(actor, 'command by alice');
  assert.ok(
    main.versions.appliedRevisions.numberOf('files', save ?? '') !== undefined,
    'it can be rolled back itself',
  );
});

void test('a content that is not kept is missing; one that is damaged changes nothing at all', async (t) => {
  const { main, run } = await make(t, { a: 'new', b: 'new' }, ['old']);
  const steps: UndoStep[] = [
    { kind: 'put', path: 'a', entry: fileEntry('old') },
    { kind: 'put', path: 'b', entry: fileEntry('never kept') },
    { kind: 'remove', path: 'a', entry: fileEntry('not needed') },
    { kind: 'put', path: 'l', entry: linkEntry('a') },
  ];
  assert.deepEqual(missingContents(steps, main.versions), ['b']);
  main.versions.contents.keep(fileEntry('never kept').hash, Buffer.from('something else'));
  await assert.rejects(run(steps.slice(0, 2)), /the older version of b is damaged: nothing was changed/);
  assert.equal(readFileSync(main.at('a'), 'utf8'), 'new');
});

void test('what comes after the steps were made stays', async (t) => {
  const { main, run } = await make(t, { a: 'new' }, ['old', 'gone']);
  const steps: UndoStep[] = [
    { kind: 'put', path: 'a', entry: fileEntry('old') },
    { kind: 'put', path: 'gone', entry: fileEntry('gone') },
  ];
  const running = run(steps);
  main.write('a', 'edited in this moment');
  symlinkSync('a', main.at('gone'));
  assert.deepEqual(await running, ['a stale', 'gone stale']);
  assert.equal(readFileSync(main.at('a'), 'utf8'), 'edited in this moment');
});

void test('it ends when the directory is being closed: between two files, and before anything is visible', async (t) => {
  const ended = async (...others: UndoStep[]): Promise<void> => {
    const { main, run } = await make(t, { a: 'new' }, ['old', 'other']);
    const running = run([{ kind: 'put', path: 'a', entry: fileEntry('old') }, ...others]);
    main.directory.applier.end();
    await assert.rejects(running, /the directory is being closed/);
    assert.equal(readFileSync(main.at('a'), 'utf8'), 'new');
  };
  await ended();
  await ended({ kind: 'put', path: 'b', entry: fileEntry('never kept') });
});

void test('it ends within a large file', async (t) => {
  const { main, run } = await make(t, {});
  const large = 'x'.repeat(3 << 20);
  main.write('large', large);
  const fd = openSync(main.at('large'), 'r');
  main.versions.files.open = () => {
    main.directory.applier.end();
    return fd;
  };
  const write = t.mock.method(StagedFile.prototype, 'write');
  const running = run([{ kind: 'put', path: 'b', entry: fileEntry(large) }]);
  await assert.rejects(running, /the directory is being closed/);
  assert.deepEqual(
    write.mock.calls.map(({ arguments: [piece] }) => piece.length),
    [1 << 20],
  );
});
