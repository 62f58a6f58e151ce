import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { Database } from '#sync/state/database.ts';
import { StateMemory, type ReportedState } from '#sync/state/peerState.ts';

/** A side whose state comes and goes, and another one that remembers it. */
class TwoSides {
  readonly #file: string;
  readonly #memory: StateMemory;

  constructor(t: TestContext) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-known-'));
    this.#file = path.join(folder, 'state.sqlite');
    const db = new Database(path.join(folder, 'other.sqlite'));
    this.#memory = new StateMemory(db, { write: (work) => work() }, 'it');
    t.after(() => {
      db.close();
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /** One run of the side: it connects after so many changes, and makes more. @returns the mismatch, if any */
  run(changesBefore: number, changesAfter: number): 'new' | 'older' | undefined {
    const db = new Database(this.#file);
    for (let i = 0; i < changesBefore; i++) db.advance();
    const reported: ReportedState = { stateId: db.stateId, sequence: db.sequence, runs: db.runs };
    const mismatch = this.#memory.mismatch(reported);
    for (let i = 0; i < changesAfter; i++) db.advance();
    this.#memory.learn(reported, db.sequence, 0);
    db.close();
    return mismatch;
  }

  copy(): void {
    copyFileSync(this.#file, `${this.#file}.copy`);
  }

  putBack(): void {
    copyFileSync(`${this.#file}.copy`, this.#file);
  }

  lose(): void {
    rmSync(this.#file);
  }
}

void test('a state that goes on is never a mismatch, however often its side starts', (t) => {
  const side = new TwoSides(t);
  for (const [before, after] of [
    [0, 0],
    [3, 2],
    [0, 0],
    [1, 5],
  ] as const)
    assert.equal(side.run(before, after), undefined);
});

void test('a new state is another one', (t) => {
  const side = new TwoSides(t);
  side.run(2, 2);
  side.lose();
  assert.equal(side.run(10, 0), 'new');
});

void test('an old copy is older even when it has changed more often since than the state that it replaced', (t) => {
  const side = new TwoSides(t);
  side.run(2, 2);
  side.copy();
  side.run(0, 3);
  side.putBack();
  assert.equal(side.run(100, 0), 'older');
});

void test('a copy that was taken in the middle of the run that is known is older, too', (t) => {
  const side = new TwoSides(t);
  side.run(0, 0);
  side.copy();
  side.run(0, 0);
  side.run(0, 7);
  side.putBack();
  assert.equal(side.run(100, 0), 'older');
});

void test('a side of an older version is judged by its sequence alone', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-known-'));
  const db = new Database(path.join(folder, 'state.sqlite'));
  t.after(() => {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const memory = new StateMemory(db, { write: (work) => work() }, 'it');
  memory.learn({ stateId: 'a', sequence: 1 }, 5, 0);
  assert.equal(memory.mismatch({ stateId: 'a', sequence: 4 }), 'older');
  assert.equal(memory.mismatch({ stateId: 'a', sequence: 5 }), undefined);
  assert.equal(
    new StateMemory(db, { write: (work) => work() }, 'it').mismatch({ stateId: 'b', sequence: 9 }),
    'new',
  );
});
