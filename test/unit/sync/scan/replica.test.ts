import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Owners } from '#host/fs/owners.ts';
import { Replica, type ReplicaOptions } from '#sync/scan/replica.ts';
import type { ScanIndex } from '#sync/state/scanIndex.ts';
import { type Clock, systemClock } from '#host/time/clock.ts';
import { eventually } from '../../../support/harness/host.ts';

const SETTLE = 30;

/** A memory that lasts as long as the test. */
function memory(): ScanIndex {
  let identity: string | undefined;
  return {
    load: () => [],
    save: () => undefined,
    rootIdentity: () => identity,
    setRootIdentity: (now) => (identity = now),
  };
}

void describe('What a host holds of a directory', () => {
  let folder: string;
  let root: string;
  let replica: Replica;
  let errors: unknown[];
  /** How often the time was asked for: work that is done leaves a trace here. */
  let asked: number;

  /** Another view of the same directory. */
  let make: (options: Pick<ReplicaOptions, 'whole' | 'onChanges'>) => Replica;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'xds-replica-'));
    root = path.join(folder, 'root');
    mkdirSync(root);
    errors = [];
    asked = 0;
    const clock: Clock = {
      ...systemClock,
      monotonic: () => {
        asked += 1;
        return performance.now();
      },
    };
    make = (options) =>
      new Replica({
        name: 'moh',
        path: root,
        nested: new Set(),
        settle: SETTLE,
        emptyIsHeld: true,
        index: memory(),
        owners: new Owners(),
        clock,
        onHeld: () => undefined,
        onError: (error) => errors.push(error),
        ...options,
      });
    replica = make({ whole: false, onChanges: () => undefined });
    for (const name of ['a', 'b', 'c']) writeFileSync(path.join(root, name), name);
    await replica.rescan();
    await isSettled('a', 'b', 'c');
  });
  afterEach(async () => {
    await replica.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function kindOf(name: string): string {
    return replica.get(name)?.kind ?? 'nothing';
  }

  async function isSettled(...names: string[]): Promise<void> {
    await eventually(`${names.join(', ')} are settled`, () =>
      names.every((name) => kindOf(name) === 'settled'),
    );
  }

  void it('is told as a whole: what was written meanwhile belongs to it, though no event told of it yet', async () => {
    const told: string[][] = [];
    const whole = make({ whole: true, onChanges: (changes) => told.push([...changes.keys()].sort()) });
    try {
      await whole.rescan();
      await eventually('all is told', () => told.length === 1);
      writeFileSync(path.join(root, 'a'), 'a, the second version');
      await whole.recheck(['a']);
      await sleep(SETTLE / 2);
      writeFileSync(path.join(root, 'b'), 'b, the second version');
      await eventually('the second version is told', () => told.length > 1);
      assert.deepEqual(told[1], ['a', 'b']);
    } finally {
      await whole.close();
    }
  });

  void it('is made up for when it could not be read, without another hint', async () => {
    renameSync(root, `${root}.away`);
    writeFileSync(path.join(`${root}.away`, 'new'), 'new');
    await replica.recheck(['new']);
    assert.match(replica.held ?? '', /can't be opened \(ENOENT\)/);
    renameSync(`${root}.away`, root);
    await isSettled('new');
    assert.equal(replica.held, undefined);
  });

  void it('is waited for without work while the directory is missing, whatever is due in it', async () => {
    unlinkSync(path.join(root, 'a'));
    await replica.recheck(['a']);
    assert.equal(kindOf('a'), 'moving');
    renameSync(root, `${root}.away`);
    await sleep(2 * SETTLE);
    const before = asked;
    await sleep(300);
    assert.ok(asked - before < 20, `asked for the time ${asked - before} times`);
    renameSync(`${root}.away`, root);
    await eventually('its removal is known', () => kindOf('a') === 'nothing');
    assert.deepEqual(['b', 'c'].map(kindOf), ['settled', 'settled']);
  });

  void it('that became empty and was partly filled again lacks only what did not come back', async () => {
    for (const name of readdirSync(root)) unlinkSync(path.join(root, name));
    await replica.recheck(['a', 'b', 'c']);
    await eventually('it is held', () => replica.held?.endsWith('became empty') === true);
    assert.deepEqual(['a', 'b', 'c'].map(kindOf), ['moving', 'moving', 'moving']);
    writeFileSync(path.join(root, 'a'), 'a');
    await replica.rescanFolders(['']);
    await eventually('b and c are gone', () => kindOf('b') === 'nothing' && kindOf('c') === 'nothing');
    assert.equal(kindOf('a'), 'settled');
    assert.equal(replica.held, undefined);
    assert.deepEqual(errors, []);
  });
});
