import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';
import { SessionLog } from '../../../../controller/sessions/sessionLog.ts';

const OFFENCE = 'protocol violation: an invalid message';

void test('an MDS that breaks the protocol again and again is logged once a minute, and others as usual', () => {
  let now = 0;
  const lines: string[] = [];
  const write = (event: string, details: { reason?: string; again?: number }): void => {
    lines.push(`${event}${details.again === undefined ? '' : ` again=${details.again}`}`);
  };
  const log = { info: write, warn: write, debug: () => undefined } as unknown as Logger;
  const sessions = new SessionLog({ monotonic: () => now } as unknown as Clock);
  for (let i = 0; i < 100; i++) {
    sessions.connected('mds1', log, {});
    sessions.ended('mds1', log, OFFENCE, {});
    now += 100;
  }
  assert.deepEqual(lines, ['agent connected', 'agent disconnected']);
  sessions.connected('mds2', log, {});
  sessions.ended('mds2', log, 'the connection was lost', {});
  assert.equal(lines.length, 4);
  now += 60_000;
  sessions.connected('mds1', log, {});
  sessions.ended('mds1', log, OFFENCE, {});
  assert.deepEqual(lines.slice(4), ['agent connected', 'agent disconnected again=99']);
});
