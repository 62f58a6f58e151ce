import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { RootGuard } from '#sync/scan/rootGuard.ts';
import { ScannedPaths } from '#sync/scan/scannedPaths.ts';
import { SettleQueue } from '#sync/scan/settleQueue.ts';
import { fileEntry } from '../../../support/unit/applyPlace.ts';
import { handlesIn } from '../../../support/unit/handlesIn.ts';
import { scanMemory } from '../../../support/unit/scanMemory.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

class Case {
  readonly root: string;
  readonly memory = scanMemory();
  readonly paths = new ScannedPaths(new SettleQueue(new ManualClock(), 300), this.memory, () => false);
  readonly guard: RootGuard;

  constructor(t: TestContext, emptyIsHeld = true) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-root-'));
    t.after(() => rmSync(folder, { recursive: true }));
    this.root = path.join(folder, 'root');
    mkdirSync(this.root);
    this.guard = new RootGuard(this.root, this.memory, this.paths, emptyIsHeld);
    for (const name of ['a', 'b']) this.paths.put(name, { kind: 'settled', entry: fileEntry(name) }, name);
  }

  /** Whether it can be opened; if not, why it is held. */
  open(): string {
    const open = this.guard.open();
    open?.[Symbol.dispose]();
    assert.equal(open === undefined, this.guard.held !== undefined);
    return this.guard.held ?? 'open';
  }

  /** Another folder takes the place of the directory. */
  replace(): void {
    renameSync(this.root, `${this.root}.first`);
    mkdirSync(this.root);
  }
}

void describe('A directory that is opened', () => {
  void it('is the one that it was the first time, also after a restart', (t) => {
    const test = new Case(t);
    assert.equal(test.open(), 'open');
    const { dev, ino } = statSync(test.root);
    assert.equal(test.memory.rootIdentity(), `${dev}:${ino}`);
    test.replace();
    assert.match(test.open(), /is not the same directory as before/);
    assert.deepEqual(handlesIn(test.root), []);
    const later = new RootGuard(test.root, test.memory, test.paths, true);
    assert.equal(later.open(), undefined);
    rmSync(test.root, { recursive: true });
    assert.match(test.open(), /can't be opened \(ENOENT\)/);
    // The first one may be reached through a link.
    symlinkSync(`${test.root}.first`, test.root);
    assert.equal(test.open(), 'open');
  });

  void it('is another one when a person has confirmed that', async (t) => {
    const test = new Case(t);
    test.open();
    test.replace();
    assert.notEqual(test.open(), 'open');
    await test.guard.confirm(async () => undefined);
    assert.equal(test.open(), 'open');
    rmSync(test.root, { recursive: true });
    await assert.rejects(
      test.guard.confirm(async () => undefined),
      { code: 'ENOENT' },
    );
  });
});

void describe('A directory that became empty', () => {
  const empty = ({ paths }: Case): void => ['a', 'b'].forEach((name) => paths.vanish(name));

  void it('is held where that would remove files elsewhere, until something is back', (t) => {
    const test = new Case(t);
    test.open();
    test.paths.vanish('a');
    assert.ok(test.guard.allowsRemovals(), 'one file is left');
    test.paths.vanish('b');
    assert.equal(test.guard.allowsRemovals(), false);
    assert.match(test.guard.held ?? '', /became empty$/);
    // It can be looked into, and stays held for that.
    const open = test.guard.open();
    assert.ok(open !== undefined && test.guard.held !== undefined);
    open[Symbol.dispose]();
    test.paths.put('c', { kind: 'settled', entry: fileEntry('c') }, 'c');
    assert.equal(test.open(), 'open');
    assert.ok(test.guard.allowsRemovals());
  });

  void it('is not held where it removes nothing elsewhere', (t) => {
    const test = new Case(t, false);
    empty(test);
    assert.ok(test.guard.allowsRemovals());
    assert.equal(test.guard.held, undefined);
  });

  void it('is taken for empty once, while a person confirms it', async (t) => {
    const test = new Case(t);
    test.open();
    empty(test);
    test.guard.allowsRemovals();
    let allowed = false;
    await test.guard.confirm(async () => {
      allowed = test.guard.allowsRemovals();
    });
    assert.deepEqual([allowed, test.guard.held], [true, undefined]);
    assert.equal(test.guard.allowsRemovals(), false);
  });
});
