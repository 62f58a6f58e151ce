import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import { controllerPlaces } from '#host/config/places.ts';
import { Root } from '#host/config/rootPath.ts';
import { writeBackup } from '../../../../controller/backup/writeBackup.ts';

type Step = readonly [doing: string, bytes: number, bytesTotal: number | null];

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'xds-backup-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Backs up a Main with a state of more than one copying step. @returns the target, and all files afterwards */
function backUp(
  signal: AbortSignal,
  progress: (...step: Step) => void,
): { file: string; done: Promise<unknown> } {
  const places = controllerPlaces(new Root(root));
  mkdirSync(places.identityFolder, { recursive: true });
  writeFileSync(path.join(places.identityFolder, 'key.pem'), 'key');
  const db = new DatabaseSync(places.stateFile);
  db.exec('BEGIN; CREATE TABLE t (a BLOB)');
  for (let i = 0; i < 300; i++) db.exec('INSERT INTO t VALUES (randomblob(4000))');
  db.exec('COMMIT');
  db.close();
  const file = path.join(root, 'main.tar');
  const done = writeBackup(places, places.configFile, file, { signal, progress, progressNow: progress });
  return { file, done };
}

test('a backup says how far it is: copying the state, then writing it', async () => {
  const steps: Step[] = [];
  const { file, done } = backUp(new AbortController().signal, (...step) => steps.push(step));
  await done;
  const order = steps.map(([doing]) => doing);
  assert.deepEqual([...new Set(order)], ['copying the state', 'writing the backup']);
  for (const doing of new Set(order)) {
    const of = steps.filter(([each]) => each === doing).map(([, bytes]) => bytes);
    assert.deepEqual(
      of,
      of.toSorted((a, b) => a - b),
      doing,
    );
    assert.ok(of.length > 1, doing);
  }
  const [, bytes, total] = steps.at(-1) ?? ['', 0, null];
  assert.equal(bytes, total);
  assert.ok(bytes > 1_200_000 && bytes < statSync(file).size);
});

for (const at of ['copying the state', 'writing the backup'])
  test(`one that is interrupted while ${at} leaves nothing behind`, async () => {
    const stop = new AbortController();
    const { file, done } = backUp(stop.signal, (doing) => {
      if (doing === at) stop.abort(new Error('interrupted'));
    });
    await assert.rejects(done);
    const left = readdirSync(root, { recursive: true }) as string[];
    assert.ok(!left.includes(path.basename(file)));
    assert.deepEqual(
      left.filter((name) => name.includes('backup-') || name.endsWith('.tmp')),
      [],
    );
  });
