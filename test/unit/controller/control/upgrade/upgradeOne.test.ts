import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createLogger } from '#host/log/logger.ts';
import { upgradeOne } from '../../../../../controller/control/upgrade/upgradeOne.ts';
import type { Controller } from '../../../../../controller/daemon/controller.ts';
import { ManualClock } from '../../../../support/wire/manualClock.ts';

void it('the wait for an agent that is being upgraded ends when Main stops', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const session = {
    isReady: true,
    agentVersion: '0.0.1',
    capabilities: new Set(['upgrade']),
    command: () => {
      session.isReady = false;
      return Promise.resolve({ lines: [] });
    },
  };
  const controller = {
    sessions: new Map([['mds1', session]]),
    log: createLogger('error', () => undefined),
    clock,
    signal: stop.signal,
  } as unknown as Controller;
  const offer = { version: '0.1.0', size: 1, sha256: 'a'.repeat(64), mainKey: '', signature: '' };
  const upgraded = upgradeOne(controller, 'mds1', offer, () => undefined);
  for (let turns = 0; turns < 5; turns++) await turn();
  assert.equal(clock.timers, 1);
  stop.abort();
  const { result, words } = await upgraded;
  assert.equal(result, 'failed');
  assert.match(words, /Main is stopping/);
  assert.equal(clock.timers, 0);
});
