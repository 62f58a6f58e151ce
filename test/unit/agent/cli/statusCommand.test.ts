import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localTime } from '#host/time/localTime.ts';
import { render } from '../../../../agent/cli/statusCommand.ts';
import type { AgentStatus } from '../../../../agent/control/contract.ts';

const AT = '2026-11-27T01:00:00.000Z';
const HELD = '/var/lib/xivo/moh is not the same directory as before';

const STATUS: AgentStatus = {
  name: 'mds1',
  version: '0.1.0',
  link: { state: 'connected', since: 0 },
  directories: [
    { name: 'moh', files: 3, bytes: 5, pending: 0, localOnly: 1, held: HELD, digest: 'a' },
    { name: 'sounds', files: 0, bytes: 0, pending: 0, localOnly: 0, held: null, digest: 'b' },
  ],
  reloads: [
    { kind: 'moh', at: AT, ok: true, durationMs: 1, output: 'earlier' },
    { kind: 'moh', at: AT, ok: false, durationMs: 1, output: 'cannot run asterisk\n' },
  ],
  owedReloads: ['moh', 'dialplan'],
  errors: [],
  alarms: [{ at: AT, message: 'look', times: 1 }],
};

void test('the status of an MDS gives reasons, in lines of their own, and times as they are here', () => {
  const lines = render(STATUS, 60_000);
  assert.ok(lines.includes(`HELD moh: ${HELD}; what to do: xivo-xds-sync status, on Main`), lines.join('\n'));
  assert.match(lines.find((line) => line.startsWith('moh ')) ?? '', / yes$/);
  assert.ok(lines.includes('moh reload pending in Asterisk: cannot run asterisk'));
  assert.ok(lines.includes('dialplan reload pending in Asterisk'));
  assert.ok(lines.includes(`ALARM since ${localTime(AT)}: look`));
});
