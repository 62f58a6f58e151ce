import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { createLogger } from '#host/log/logger.ts';
import { ReaderLease } from '../../../../../agent/asterisk/activation/readerLease.ts';
import { ManualClock } from '../../../../support/wire/manualClock.ts';

void it('the wait for a dialplan that is being read ends when the agent stops', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-lease-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'extensions.conf');
  writeFileSync(file, '[default]\n');
  // An open file prevents the lease.
  const reader = openSync(file, 'r+');
  t.after(() => closeSync(reader));
  const clock = new ManualClock();
  const said: string[] = [];
  const lease = new ReaderLease(
    () => [folder],
    clock,
    createLogger('info', ({ details }) => said.push(JSON.stringify(details))),
  );
  const stop = new AbortController();
  const shown = lease.withLease(() => 'shown', stop.signal);
  assert.equal(clock.timers, 1);
  stop.abort();
  assert.equal(await shown, 'shown');
  assert.equal(clock.timers, 0);
  assert.match(said.join(), /the agent is stopping/);
});
