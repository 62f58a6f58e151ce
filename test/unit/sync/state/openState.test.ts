import assert from 'node:assert/strict';
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Logger } from '#host/log/logger.ts';
import { Database } from '#sync/state/database.ts';
import { Ledger } from '#sync/state/ledger.ts';
import { runOnState } from '#sync/state/openState.ts';
import { lastSetAside } from '#sync/state/stateFile.ts';
import { fileEntry } from '../../../support/unit/applyPlace.ts';

const FILES = 3_000;

/** A state with a ledger of many pages. */
function filledState(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-state-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'state.sqlite');
  const db = new Database(file);
  fill(db);
  db.close();
  return file;
}

function fill(db: Database): void {
  const ledger = new Ledger(db, 'files');
  db.transaction(() => {
    for (let i = 0; i < FILES; i++) ledger.set(`f${i}.wav`, fileEntry(String(i)));
  });
}

/** Writes into a file in place, as a failing disk or a wrong hand does. */
function change(file: string, work: (fd: number, size: number) => void): void {
  const fd = openSync(file, 'r+');
  work(fd, statSync(file).size);
  closeSync(fd);
}

const overwrite = (fd: number, at: number, length: number): void => {
  writeSync(fd, Buffer.alloc(length, 0xa5), 0, length, at);
};

const DAMAGES: Readonly<Record<string, (file: string) => void>> = {
  'overwritten at its start': (file) => change(file, (fd) => overwrite(fd, 0, 100)),
  'overwritten in the middle': (file) =>
    change(file, (fd, size) => overwrite(fd, Math.floor(size / 8192) * 4096, 8192)),
  'overwritten inside a row': (file) =>
    change(file, (fd, size) => overwrite(fd, Math.floor(size / 8192) * 4096 + 3_000, 64)),
  'cut in half': (file) => change(file, (fd, size) => ftruncateSync(fd, size / 2)),
  'cut to nothing': (file) => change(file, (fd) => ftruncateSync(fd, 0)),
  'replaced by text': (file) => writeFileSync(file, 'this is no database, and never was one '.repeat(100)),
  'another file under its name': (file) => {
    writeFileSync(`${file}.new`, 'text');
    renameSync(`${file}.new`, file);
  },
};

/** What a daemon does with its state: reads all of it, and waits to be ended. */
async function work(db: Database, ready: () => void, end: Promise<void>): Promise<void> {
  assert.ok(new Ledger(db, 'files').entries.size >= 0);
  ready();
  await Promise.race([end, db.whenDamaged()]);
}

void describe('A state that is damaged is set aside, and the work begins again on a new one', () => {
  for (const [how, damage] of Object.entries(DAMAGES)) {
    void it(`${how} while it is not open`, async (t) => {
      const file = filledState(t);
      damage(file);
      const logged: object[] = [];
      const log = { error: (_: string, details: object) => logged.push(details), debug: () => undefined };
      let entries = -1;
      await runOnState(
        file,
        { log: log as unknown as Logger, signal: new AbortController().signal, onWaiting: () => undefined },
        async (db) => {
          entries = new Ledger(db, 'files').entries.size;
        },
      );
      assert.equal(entries, 0);
      const aside = lastSetAside(file);
      assert.ok(aside !== undefined && readdirSync(path.dirname(file)).includes(path.basename(aside.file)));
      assert.equal(logged.length, 1);
      assert.equal((logged[0] as { kept: string }).kept, aside.file);
    });

    void it(`${how} while it is in use`, async (t) => {
      const file = filledState(t);
      const log = { error: () => undefined, debug: () => undefined } as unknown as Logger;
      const end = Promise.withResolvers<void>();
      const stateIds: string[] = [];
      await runOnState(
        file,
        { log, signal: new AbortController().signal, onWaiting: () => undefined },
        async (db) => {
          stateIds.push(db.stateId);
          await work(
            db,
            () => {
              if (stateIds.length > 1) return end.resolve();
              damage(file);
              // What the timer of the daemon does.
              db.lookForDamage();
            },
            end.promise,
          );
        },
      );
      assert.equal(new Set(stateIds).size, 2);
      assert.ok(lastSetAside(file));
    });
  }
});

void describe('A state that is whole', () => {
  void it('is not taken for a damaged one while it grows and is written back', (t) => {
    const file = filledState(t);
    const db = new Database(file);
    const before = statSync(file).mtimeMs;
    for (let i = 0; i < 8; i++) {
      fill(db);
      db.lookForDamage();
    }
    assert.notEqual(statSync(file).mtimeMs, before, 'it was written back');
    assert.ok(statSync(`${file}-wal`).size < 16_000_000);
    assert.equal(db.damaged.aborted, false);
    db.close();
    assert.equal(lastSetAside(file), undefined);
  });
});
