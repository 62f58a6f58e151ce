import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'node:test';
import type { Command } from '#protocol/messages/common.ts';
import type { Controller } from '../../../../controller/daemon/controller.ts';
import { passOver } from '../../../../controller/daemon/passes.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

/** A connection to an agent that answers every command at once. */
function sessionOf(capabilities: readonly string[], events: string[], scans = true): object {
  return {
    isReady: true,
    capabilities: new Set(capabilities),
    traffic: { rate: 0 },
    command: (command: Command) => {
      const isScanned = command.do === 'reconcile' && command.isScanned === true;
      events.push(isScanned ? 'reconcile what is scanned' : command.do);
      return Promise.resolve({ ok: command.do !== 'scan' || scans, lines: [], actions: [] });
    },
  };
}

/** A pass over one MDS. @returns what happened, in its order */
async function pass(
  sessions: { readonly before: object; readonly after?: object },
  events: string[],
  command: Command = { do: 'reconcile' },
): Promise<string[]> {
  const bySession = new Map([['mds1', sessions.before]]);
  const controller = {
    registry: { list: () => ({ agents: [{ name: 'mds1' }] }) },
    sessions: bySession,
    directories: new Map(),
    clock: new ManualClock(),
    passes: {
      rescan: async () => {
        await setImmediate();
        events.push('Main has scanned');
        bySession.set('mds1', sessions.after ?? sessions.before);
      },
    },
  };
  // Only what a pass uses.
  await passOver(controller as unknown as Controller, command, undefined, () => undefined);
  return events;
}

void describe('A full pass', () => {
  void it('has an MDS scan while Main does, and not again in the pass', async () => {
    const events: string[] = [];
    assert.deepEqual(await pass({ before: sessionOf(['scan'], events) }, events), [
      'scan',
      'Main has scanned',
      'reconcile what is scanned',
    ]);
  });

  void it('leaves the scan to the pass where the agent is older, has failed to scan, or has connected again', async () => {
    const older: string[] = [];
    assert.deepEqual(await pass({ before: sessionOf([], older) }, older), ['Main has scanned', 'reconcile']);
    const failing: string[] = [];
    assert.deepEqual(await pass({ before: sessionOf(['scan'], failing, false) }, failing), [
      'scan',
      'Main has scanned',
      'reconcile',
    ]);
    const later: string[] = [];
    const sessions = { before: sessionOf(['scan'], later), after: sessionOf(['scan'], later) };
    assert.deepEqual(await pass(sessions, later), ['scan', 'Main has scanned', 'reconcile']);
  });

  void it('is not what a dry run is: nothing is scanned beforehand', async () => {
    const events: string[] = [];
    const command = { do: 'plan' } as const;
    assert.deepEqual(await pass({ before: sessionOf(['scan'], events) }, events, command), [
      'Main has scanned',
      'plan',
    ]);
  });
});
