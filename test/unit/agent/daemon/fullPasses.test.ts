import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { PendingReloads } from '../../../../agent/asterisk/reload/pendingReloads.ts';
import { FullPasses, type FullPassesOptions } from '../../../../agent/daemon/fullPasses.ts';
import type { Logger } from '#host/log/logger.ts';
import { Tasks } from '#host/process/tasks.ts';
import { Database } from '#sync/state/database.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

const nothing = (): void => undefined;
const log: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => log };

test('a full pass makes a pending reload at once, and is not well before Asterisk took it', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'xds-pass-'));
  const back = path.join(folder, 'back');
  const script = path.join(folder, 'asterisk');
  writeFileSync(script, `[ -e '${back}' ] || { echo 'Unable to connect to remote asterisk'; exit 1; }\n`);
  const db = new Database(path.join(folder, 'state.sqlite'));
  // Its time stands still, so nothing is retried by itself.
  const clock = new ManualClock();
  const reloads = new PendingReloads({
    asterisk: ['/bin/sh', script],
    prove: () => Promise.resolve(() => Promise.resolve({})),
    db,
    keeper: { write: (write: () => void) => write() } as never,
    clock,
    log,
    onNews: nothing,
  });
  t.after(async () => {
    await reloads.close();
    db.close();
    rmSync(folder, { recursive: true });
  });
  const passes = new FullPasses({
    directories: { all: new Map(), unplaced: [] },
    reloads,
    reporter: { reconciled: nothing, report: () => ({ errors: [] }) },
    tasks: new Tasks(nothing),
    keepMs: () => 0,
    clock,
    log,
  } as unknown as FullPassesOptions);
  reloads.add('dialplan');
  assert.equal((await passes.run()).ok, false, 'Asterisk is away');
  assert.deepEqual(reloads.pending, ['dialplan']);
  writeFileSync(back, '');
  assert.equal((await passes.run()).ok, true);
  assert.deepEqual(reloads.pending, []);
});
