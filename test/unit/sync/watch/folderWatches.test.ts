import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type TestContext, test } from 'node:test';
import { decodeName } from '#core/path/nameBytes.ts';
import type { Folder } from '#host/fs/folder.ts';
import { WatchedPlace } from '../../../support/unit/watchedPlace.ts';

/** A watched place, with what is reported. Events cause nothing here: the test decides what is scanned. */
async function place(t: TestContext, nested?: readonly string[]) {
  const at = new WatchedPlace(t, nested);
  const events: string[] = [];
  const errors: unknown[] = [];
  let onEvent: () => void = () => undefined;
  at.watches.open({
    onEvent: (folder, name) => {
      events.push(`${folder}: ${name}`);
      onEvent();
    },
    onRefused: (error) => void errors.push(error),
  });
  await at.replica.rescan();
  const until = async (event: string): Promise<void> => {
    while (!events.includes(event))
      await new Promise<void>((resolve) => {
        onEvent = resolve;
      });
  };
  return { at, events, errors, until, forget: () => events.splice(0) };
}

void test('the folders that are scanned are watched, and nothing else', async (t) => {
  const outside = new WatchedPlace(t);
  const { at } = await place(t, ['a/nested']);
  for (const folder of ['a/b', 'a/nested', 'a/c.excluded', 'xds_override', '.xivo-xds-sync/trash'])
    mkdirSync(at.at(folder), { recursive: true });
  symlinkSync(outside.root, at.at('link'));
  writeFileSync(at.at('file'), 'content');
  await at.replica.rescan();
  const folders = [
    '',
    'a',
    'a/b',
    'a/nested',
    'a/c.excluded',
    'xds_override',
    '.xivo-xds-sync',
    'link',
    'file',
  ];
  assert.deepEqual(
    folders.filter((folder) => at.watches.has(folder)),
    ['', 'a', 'a/b'],
  );
});

void test('a folder is watched before it is listed: what comes into it later is reported', async (t) => {
  const { at, until } = await place(t);
  mkdirSync(at.at('a/b'), { recursive: true });
  await at.replica.recheck(['a']);
  writeFileSync(at.at('a/b/file'), 'later');
  await until('a/b: file');
});

void test('what is renamed into a folder is reported once as a rename, and a change is none', async (t) => {
  const at = new WatchedPlace(t);
  const outside = new WatchedPlace(t);
  for (const name of ['1', '2']) writeFileSync(outside.at(name), name);
  mkdirSync(at.at('a'));
  const events: string[] = [];
  let onChange: () => void = () => undefined;
  at.watches.open({
    onEvent: (folder, name, isRename) => {
      events.push(`${folder}/${name} ${isRename ? 'came' : 'changed'}`);
      onChange();
    },
    onRefused: (error) => assert.fail(String(error)),
  });
  assert.ok(!at.watches.reports('a'));
  await at.replica.rescan();
  assert.ok(at.watches.reports('a'));
  for (const name of ['1', '2']) renameSync(outside.at(name), at.at(`a/${name}`));
  chmodSync(at.at('a/2'), 0o600);
  while (!events.includes('a/2 changed')) await new Promise<void>((resolve) => void (onChange = resolve));
  assert.deepEqual(events, ['a/1 came', 'a/2 came', 'a/2 changed']);
  renameSync(at.at('a'), at.at('b'));
  while (!events.includes('/a changed')) await new Promise<void>((resolve) => void (onChange = resolve));
  assert.ok(!at.watches.reports('a'), 'what is at its name by now is not known');
});

void test('a folder whose name is not UTF-8 is watched like any other, and so are such names', async (t) => {
  const { at, until } = await place(t);
  const folder = Buffer.concat([Buffer.from(`${at.root}/`), Buffer.of(0xff)]);
  mkdirSync(folder);
  await at.replica.recheck([decodeName(Buffer.of(0xff))]);
  writeFileSync(Buffer.concat([folder, Buffer.from('/'), Buffer.of(0xfe)]), 'later');
  await until(`${decodeName(Buffer.of(0xff))}: ${decodeName(Buffer.of(0xfe))}`);
});

void test('a renamed folder, and those in it, are reported under the new name once either name is looked at', async (t) => {
  const { at, events, until, forget } = await place(t);
  mkdirSync(at.at('old/inner'), { recursive: true });
  await at.replica.recheck(['old']);
  renameSync(at.at('old'), at.at('new'));
  // What that caused is not looked at, as if it had been lost. The next event comes under the old name.
  writeFileSync(at.at('new/inner/one'), 'one');
  await until('old/inner: one');
  await at.replica.recheck(['old/inner/one']);
  assert.equal(at.watches.has('old'), false);
  assert.equal(at.watches.has('old/inner'), false);
  await at.replica.recheck(['new']);
  assert.equal(at.replica.get('new/inner/one') === undefined, false);

  forget();
  writeFileSync(at.at('new/inner/two'), 'two');
  writeFileSync(at.at('new/three'), 'three');
  await until('new: three');
  assert.ok(events.includes('new/inner: two'));
  assert.deepEqual(
    events.filter((event) => event.startsWith('old')),
    [],
  );
});

void test('a scan of everything ends the watches of folders that it does not find', async (t) => {
  const { at, until, events, forget } = await place(t);
  mkdirSync(at.at('old/inner'), { recursive: true });
  await at.replica.recheck(['old']);
  renameSync(at.at('old'), at.at('new'));
  await at.replica.rescan();
  assert.equal(at.watches.has('old/inner'), false);
  forget();
  writeFileSync(at.at('new/inner/file'), 'later');
  await until('new/inner: file');
  assert.ok(!events.includes('old/inner: file'), events.join('\n'));
});

void test('a folder that was replaced unnoticed is watched again when it is looked at, with what is in it', async (t) => {
  const { at, until } = await place(t);
  mkdirSync(at.at('a/inner'), { recursive: true });
  await at.replica.recheck(['a']);
  renameSync(at.at('a'), `${at.root}.away`);
  mkdirSync(at.at('a/inner'), { recursive: true });
  writeFileSync(at.at('a/inner/first'), 'before it is watched');
  await at.replica.recheck(['a']);
  assert.equal(at.replica.get('a/inner/first') === undefined, false);
  writeFileSync(at.at('a/inner/second'), 'later');
  await until('a/inner: second');
});

void test('a folder that was removed and created again is watched again by the next scan of everything', async (t) => {
  const { at, until } = await place(t);
  mkdirSync(at.at('a'));
  await at.replica.recheck(['a']);
  rmdirSync(at.at('a'));
  mkdirSync(at.at('a'));
  await at.replica.rescan();
  writeFileSync(at.at('a/file'), 'later');
  await until('a: file');
});

void test('a file in place of a folder ends its watch', async (t) => {
  const { at } = await place(t);
  mkdirSync(at.at('a'));
  await at.replica.recheck(['a']);
  rmdirSync(at.at('a'));
  writeFileSync(at.at('a'), 'a file');
  await at.replica.recheck(['a']);
  assert.equal(at.watches.has('a'), false);
});

void test('a refused watch is counted until the folder can be watched or is gone', async (t) => {
  const { at, errors } = await place(t);
  writeFileSync(at.at('file'), 'can not be watched as a folder');
  const fd = openSync(at.at('file'), 'r');
  t.after(() => closeSync(fd));
  const refusing = { fd } as Folder;
  at.watches.watch('', refusing);
  at.watches.watch('a', refusing);
  assert.equal(at.watches.refused, 2);
  assert.equal(errors.length, 2);
  // Tried again with each listing.
  at.watches.watch('a', refusing);
  assert.equal(at.watches.refused, 2);
  await at.replica.rescan();
  assert.equal(at.watches.refused, 0, 'one is watched by now, the other is gone');
});
