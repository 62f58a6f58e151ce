import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { findRemains, removeRemains, workName } from '../../../../controller/backup/remains.ts';

const MODULE = pathToFileURL(path.resolve(import.meta.dirname, '../../../../controller/backup/remains.ts'));

let root: string;
let places: { stateFolder: string };
let target: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'xds-remains-'));
  places = { stateFolder: path.join(root, 'lib/state') };
  target = path.join(root, 'backups/main.tar');
  mkdirSync(places.stateFolder, { recursive: true });
  mkdirSync(path.dirname(target));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Makes all that a backup and a restore make. @param name as the process that makes it would call it */
function make(name: (kind: Parameters<typeof workName>[0]) => string): string[] {
  const made = [
    path.join(places.stateFolder, `${name('stateCopy')}aB3dE6`),
    path.join(path.dirname(places.stateFolder), `${name('unpacked')}aB3dE6`),
    path.join(path.dirname(target), `${name('partial')}0123456789ab`),
  ];
  for (const folder of made.slice(0, 2)) {
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'key.pem'), 'key');
  }
  writeFileSync(made[2] ?? '', 'half a backup');
  return made;
}

test('what a process that still runs makes is no remains; once it was killed, it is, and is removed', async () => {
  const kinds = ['stateCopy', 'unpacked', 'partial'] as const;
  const child = spawn(process.execPath, [
    '--eval',
    `import('${MODULE.href}').then(({ workName }) => {
      console.log(JSON.stringify(${JSON.stringify(kinds)}.map((kind) => [kind, workName(kind)])));
      setInterval(() => undefined, 60_000);
    })`,
  ]);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const names = new Map(JSON.parse(said.toString()) as [string, string][]);
  const made = make((kind) => names.get(kind) ?? '');
  const own = make(workName);
  assert.deepEqual(removeRemains(places, target), []);
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.deepEqual(findRemains(places), made.slice(0, 2), 'the target of a killed backup is unknown');
  assert.deepEqual(removeRemains(places, target), made);
  for (const each of made) assert.equal(existsSync(each), false, each);
  for (const each of own) assert.equal(existsSync(each), true, each);
  assert.deepEqual(findRemains(places, target), []);
});

test('the id of a process that ended, used again by another one, does not keep remains', () => {
  const made = make((kind) => workName(kind).replace(/-\d+-$/, '-1-'));
  assert.deepEqual(removeRemains(places, target), made);
});

test('a part that another host writes into the same folder, as on a file server, is no remains', () => {
  const theirs = workName('partial')
    .replace(`${hostname()}@`, 'other@')
    .replace(/-\d+-$/, '-1-');
  const file = path.join(path.dirname(target), `${theirs}0123456789ab`);
  assert.match(theirs, /-other@/);
  writeFileSync(file, 'half a backup');
  assert.deepEqual(removeRemains(places, target), []);
  assert.equal(existsSync(file), true);
});

test('folders of an older version, whose names name no process, are remains', () => {
  const old = ['.backup-aB3dE6', '../.xivo-xds-sync-restore-aB3dE6'].map((name) =>
    path.join(places.stateFolder, name),
  );
  for (const each of old) mkdirSync(each);
  assert.deepEqual(removeRemains(places, target), old);
});

test('neither a link nor a file of another user is removed', { skip: process.getuid?.() !== 0 }, () => {
  const gone = (kind: Parameters<typeof workName>[0]): string => workName(kind).replace(/-\d+-$/, '-1-');
  const elsewhere = path.join(root, 'elsewhere');
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, path.join(places.stateFolder, `${gone('stateCopy')}aB3dE6`));
  const another = path.join(path.dirname(target), `${gone('partial')}0123456789ab`);
  writeFileSync(another, 'planted');
  chownSync(another, 12_345, 12_345);
  assert.deepEqual(removeRemains(places, target), []);
  assert.deepEqual(removeRemains({ stateFolder: path.join(root, 'nowhere/state') }), []);
});
