import assert from 'node:assert/strict';
import { it } from 'node:test';
import { carryOut } from '../../../../agent/daemon/commands.ts';
import type { Upgrades } from '../../../../agent/upgrade/upgrades.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

void it("a verification does not wait for Main's manifest when its answer can no longer be sent", async () => {
  const clock = new ManualClock();
  const asked = new AbortController();
  const verified = carryOut(
    { do: 'verify' },
    {
      directories: new Map(),
      wanted: [],
      attached: new Promise(() => undefined),
      scan: () => assert.fail(),
      reconcile: () => assert.fail(),
      upgrades: {} as Upgrades,
      history: { asked: () => assert.fail() },
      clock,
      signal: new AbortController().signal,
      run: { asked: asked.signal, figures: { files: 0, filesTotal: 0, bytes: 0, bytesTotal: 0 } },
    },
  );
  asked.abort(new Error('the connection was lost'));
  await assert.rejects(verified, /the connection was lost/);
  assert.equal(clock.timers, 0);
});
