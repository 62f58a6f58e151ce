import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { PlannedAction } from '#protocol/messages/common.ts';
import { DirectoryPasses } from '../../../../agent/directory/directoryPasses.ts';
import type { Reconciler } from '../../../../agent/directory/reconciler.ts';

const action = (path: string, kind: PlannedAction['action'] = 'send'): PlannedAction => ({
  directory: 'files',
  action: kind,
  path,
  bytes: 1,
  reason: '',
});

void describe('A full pass over a directory', () => {
  let scans = 0;
  let isAtRest = true;
  let planned: PlannedAction[] = [];
  let passes: DirectoryPasses;
  beforeEach(() => {
    scans = 0;
    isAtRest = true;
    planned = [];
    const reconciler = {
      get isAtRest() {
        return isAtRest;
      },
      resetBackoff: () => undefined,
      wake: () => undefined,
      whenIdle: () => Promise.resolve(),
      obstacleOf: () => undefined,
      plan: () => ({ decisions: new Map(), held: undefined, heldPaths: [] }),
    };
    passes = new DirectoryPasses({
      sync: {
        readAgain: () => {
          scans += 1;
          return Promise.resolve();
        },
      },
      // Only what a pass uses.
      reconciler: reconciler as unknown as Reconciler,
      mainManifest: { isReady: true },
      plans: { plannedActions: () => planned },
      isConnected: () => true,
    });
  });

  void it('scans once: before it, if Main has it do so, and else itself', async () => {
    assert.deepEqual(await passes.run(false), { ok: true, actions: [] });
    assert.equal(scans, 1);
    await passes.scanAhead();
    assert.equal(scans, 2);
    await passes.run(true);
    assert.equal(scans, 2);
  });

  void it('does not take a scan for its own that belongs to another pass, or was not made', async () => {
    await passes.run(true);
    assert.equal(scans, 1);
    await passes.scanAhead();
    await passes.run(true);
    await passes.run(true);
    assert.equal(scans, 3);
    await passes.scanAhead();
    await passes.run(false);
    assert.equal(scans, 5);
  });

  void it('names what was done between its scan and its plan, and knows better what Main has found since', async () => {
    isAtRest = false;
    planned = [action('done meanwhile'), action('found on Main, too')];
    await passes.scanAhead();
    planned = [action('found on Main, too', 'remove'), action('new')];
    const { ok, actions } = await passes.run(true);
    assert.ok(ok);
    assert.deepEqual(
      actions.map(({ path, action: kind }) => [path, kind]),
      [
        ['done meanwhile', 'send'],
        ['found on Main, too', 'remove'],
        ['new', 'send'],
      ],
    );
  });
});
