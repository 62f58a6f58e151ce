import assert from 'node:assert/strict';
import { it } from 'node:test';
import { judge, PLUGIN, pluginResult } from '../../../../../controller/cli/status/check.ts';
import { render } from '../../../../../controller/cli/status/render.ts';
import type { MdsStatus, Status } from '../../../../../controller/control/contract/contract.ts';
import { plain } from '#host/cli/output/terminal.ts';
import { formatFingerprint } from '#host/identity/pin.ts';

const NOW = Date.parse('2026-11-25T20:00:00Z');
const at = (ms: number): string => new Date(NOW - ms).toISOString();

function mds(name: string, given: Partial<MdsStatus> = {}): MdsStatus {
  return {
    name,
    voipIp: null,
    address: '127.0.0.1',
    state: 'connected',
    fingerprint: null,
    agentVersion: '0.1.0',
    certificateNotAfter: null,
    connectedSince: at(0),
    lastSeen: at(0),
    clockOffsetMs: 0,
    lagMs: 0,
    behindSince: null,
    inSyncSince: at(60_000),
    lastDeliveryMs: 400,
    inSync: true,
    lastReconcile: { at: at(60_000), ok: true, durationMs: 10 },
    directories: [],
    reloads: [],
    owedReloads: [],
    bytesPerSecond: 0,
    transfers: [],
    errors: [],
    ...given,
  };
}

function status(all: readonly MdsStatus[], causes: Status['causes'] = []): Status {
  return {
    version: '0.1.0',
    main: {
      listen: '127.0.0.1:9443',
      fingerprint: formatFingerprint('f9'.repeat(32)),
      startedAt: at(1000),
      pausedUntil: null,
      directories: [],
      alarms: [],
      warnings: [],
      errors: [],
      mediaServers: { source: 'enrolled', problem: null },
      rotation: null,
    },
    mds: all,
    causes,
  };
}

const AWAY = (ms: number): Status['causes'][number] => ({
  kind: 'away',
  severity: 'critical',
  mds: ['mds2'],
  since: at(ms),
  cause: 'mds2 is disconnected | \u001b[2J',
  action: 'look there',
});

void it('is OK with performance data when there is no problem', () => {
  const { code, lines } = judge(status([mds('mds1')]), 300_000, NOW);
  assert.equal(code, PLUGIN.ok);
  assert.match(lines[0] ?? '', /^XDS OK - the MDS is in sync \| mds=1;;;0 .*'mds1_lag'=0s;;300;0/);
});

void it('gives figures in whole milliseconds', () => {
  const { lines } = judge(status([mds('mds1', { lagMs: 11_536.272_939 })]), 300_000, NOW);
  assert.match(lines[0] ?? '', /'mds1_lag'=11\.536s;;300;0/);
});

void it('warns of an MDS that is away, and is critical once that lasts', () => {
  const gone = mds('mds2', { state: 'disconnected', inSync: false, lastSeen: at(60_000), lagMs: null });
  assert.equal(judge(status([gone], [AWAY(60_000)]), 300_000, NOW).code, PLUGIN.warning);
  const late = judge(status([gone], [AWAY(600_000)]), 300_000, NOW);
  assert.equal(late.code, PLUGIN.critical);
  assert.equal((late.lines.join('').match(/\|/g) ?? []).length, 1);
});

void it('is critical when an MDS is behind for longer than allowed', () => {
  const slow = mds('mds1', { inSync: false, lagMs: 301_000, behindSince: at(301_000) });
  assert.equal(judge(status([slow]), 300_000, NOW).code, PLUGIN.critical);
  assert.equal(judge(status([slow]), 600_000, NOW).code, PLUGIN.ok);
});

void it('says UNKNOWN in one line', () => {
  assert.deepEqual(pluginResult(PLUGIN.unknown, 'no\nsuch').lines, ['XDS UNKNOWN - no such']);
});

void it('fits 80 columns, worst first, and names each cause once', () => {
  const gone = mds('mds2', { state: 'disconnected', inSync: false, lastSeen: at(60_000), lagMs: null });
  const lines = render(status([mds('mds1'), gone], [AWAY(60_000)]), NOW).map(plain);
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.equal(lines[0], '1 of 2 MDS disconnected');
  assert.equal(
    lines.slice(-2).join('').replace(/: +/, ':'),
    `fingerprint ${formatFingerprint('f9'.repeat(32))}`,
  );
  const rows = lines.filter((line) => /^mds\d /.test(line)).map((line) => line.slice(0, 4));
  assert.deepEqual(rows, ['mds2', 'mds1']);
  assert.equal(lines.filter((line) => line.includes('is disconnected')).length, 1);
});

void it('has one blank line between its parts, whichever of them are empty', () => {
  for (const each of [status([]), status([], [AWAY(60_000)]), status([mds('mds1')], [AWAY(60_000)])]) {
    const lines = render(each, NOW).map(plain);
    assert.doesNotMatch(lines.join('\n'), /\n\n\n/);
    assert.equal(lines[1], '');
  }
});
