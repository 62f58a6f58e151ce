import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { causesOf } from '../../../../controller/conditions/causes.ts';
import type { Condition, StandingCondition } from '../../../../controller/conditions/condition.ts';
import { conditionsOf } from '../../../../controller/conditions/conditionsOf.ts';
import { ago } from '../../../../controller/conditions/summary.ts';
import { ConditionTracker } from '../../../../controller/conditions/tracker.ts';
import type { Facts, MdsStatus } from '../../../../controller/control/contract/contract.ts';

const NOW = Date.parse('2026-11-25T20:00:00Z');
const DAY = 86_400_000;
const AT = { now: NOW, certificateLifeMs: 90 * DAY };

const MOH = {
  name: 'moh',
  inSync: true,
  files: 3,
  bytes: 30,
  pending: 0,
  pendingBytes: 0,
  localOnly: 0,
  held: null,
  digest: 'a',
  skipped: [],
};

const MDS: MdsStatus = {
  name: 'mds1',
  voipIp: null,
  address: '127.0.0.1',
  state: 'connected',
  fingerprint: null,
  agentVersion: '0.1.0',
  certificateNotAfter: new Date(NOW + 60 * DAY).toISOString(),
  connectedSince: new Date(NOW).toISOString(),
  lastSeen: new Date(NOW).toISOString(),
  clockOffsetMs: 3,
  lagMs: 0,
  behindSince: null,
  inSyncSince: null,
  lastDeliveryMs: 20,
  inSync: true,
  lastReconcile: null,
  directories: [MOH],
  reloads: [],
  owedReloads: [],
  bytesPerSecond: 0,
  transfers: [],
  errors: [],
};

function facts(mds: readonly Partial<MdsStatus>[], main: Partial<Facts['main']> = {}): Facts {
  return {
    version: '0.1.0',
    main: {
      listen: '127.0.0.1:9443',
      fingerprint: 'f',
      startedAt: new Date(NOW).toISOString(),
      pausedUntil: null,
      directories: [
        {
          name: 'moh',
          path: '/moh',
          files: 3,
          bytes: 30,
          digest: 'a',
          held: null,
          skipped: [],
          warnings: [],
        },
      ],
      alarms: [],
      warnings: [],
      errors: [],
      mediaServers: { source: 'enrolled', problem: null },
      rotation: null,
      ...main,
    },
    mds: mds.map((each) => ({ ...MDS, ...each })),
  };
}

const kinds = (conditions: readonly Condition[]): string[] => conditions.map(({ kind }) => kind);

describe('The conditions of a status', () => {
  it('are empty when there is no problem', () => {
    assert.deepEqual(conditionsOf(facts([{}, { name: 'mds2' }]), AT), []);
  });

  it('name an MDS that is away, but no revoked one', () => {
    const away = conditionsOf(facts([{ state: 'disconnected' }, { name: 'mds2', state: 'revoked' }]), AT);
    assert.deepEqual(kinds(away), ['away']);
    assert.equal(away[0]?.mds, 'mds1');
    assert.match(away[0]?.action ?? '', /systemctl status xivo-xds-sync-agent/);
  });

  it('say a hold on Main once, and advise to put a missing directory back first', () => {
    const held = 'can’t be opened (ENOENT)';
    const status = facts([{ directories: [{ ...MOH, inSync: false, held }] }], {
      directories: [
        { name: 'moh', path: '/moh', files: 0, bytes: 0, digest: 'a', held, skipped: [], warnings: [] },
      ],
    });
    const found = conditionsOf(status, AT);
    assert.deepEqual(kinds(found), ['hold']);
    assert.equal(found[0]?.mds, undefined);
    assert.match(found[0]?.action ?? '', /^put it back .*: xivo-xds-sync confirm moh$/);
  });

  it('say a hold of one MDS with the command for that MDS', () => {
    const found = conditionsOf(facts([{ directories: [{ ...MOH, inSync: false, held: '40 of 50' }] }]), AT);
    assert.deepEqual(kinds(found), ['hold']);
    assert.match(found[0]?.action ?? '', /xivo-xds-sync confirm moh --mds mds1$/);
  });

  it('say first how a hold ends without a confirmation: what was removed comes back, a directory is put back', () => {
    const action = (held: string): string =>
      conditionsOf(facts([{ directories: [{ ...MOH, inSync: false, held }] }]), AT)[0]?.action ?? '';
    assert.match(
      action('40 of 50 files would be removed'),
      /^by mistake\? See .*trash restore moh -n; to go ahead: .*confirm moh/,
    );
    for (const held of [
      "/moh can't be opened (ENOENT)",
      '/moh is not the same directory as before',
      '/moh became empty',
    ])
      assert.match(action(held), /^put it back there .*: xivo-xds-sync confirm moh --mds mds1$/, held);
  });

  it('distinguish what lint blocks from other errors', () => {
    const at = new Date(NOW).toISOString();
    const errors = [
      { at, path: 'dialplan/a.conf', message: 'line 3: no priority (lint: block)' },
      { at, path: 'moh/b.wav', message: 'EACCES' },
    ];
    assert.deepEqual(kinds(conditionsOf(facts([{ errors, inSync: false }]), AT)), ['blocked', 'error']);
    const waiting = ['b', 'c'].map((file) => ({
      at,
      path: `dialplan/${file}.conf`,
      message: 'waits: it belongs to a change set with a.conf (line 3: no priority (lint: block))',
    }));
    const [one, ...others] = conditionsOf(
      facts([{ errors: [...errors.slice(0, 1), ...waiting], inSync: false }]),
      AT,
    );
    assert.match(one?.cause ?? '', /^dialplan\/a\.conf: line 3: .* \(2 other files wait with it\)$/);
    assert.deepEqual(others, []);
  });

  it('distinguish a refused reload from a pending one', () => {
    const refused = [
      { kind: 'dialplan' as const, at: '', ok: true, durationMs: 1, output: '' },
      { kind: 'dialplan' as const, at: '', ok: false, durationMs: 1, output: 'a.conf line 2' },
    ];
    const [one] = conditionsOf(facts([{ reloads: refused }]), AT);
    assert.equal(one?.kind, 'refused-reload');
    assert.match(one?.cause ?? '', /a\.conf line 2/);
    const [other] = conditionsOf(facts([{ reloads: refused, owedReloads: ['dialplan'] }]), AT);
    assert.equal(other?.kind, 'pending-reload');
    const fixed = [...refused, { kind: 'dialplan' as const, at: '', ok: true, durationMs: 1, output: '' }];
    assert.deepEqual(conditionsOf(facts([{ reloads: fixed }]), AT), []);
  });

  it('report no MDS as behind for files whose own error is reported', () => {
    const late = [{ ...MOH, inSync: false, pending: 2 }];
    const error = (path: string) => ({ at: '', path, message: 'no room' });
    const of = (...paths: string[]): string[] =>
      kinds(conditionsOf(facts([{ directories: late, inSync: false, errors: paths.map(error) }]), AT));
    assert.deepEqual(of('moh/a.wav', 'moh/b.wav'), ['error', 'error']);
    assert.deepEqual(of('moh/a.wav', 'sounds/b.wav'), ['error', 'error', 'behind']);
  });

  it('report no MDS as behind while paused', () => {
    const late = [{ directories: [{ ...MOH, inSync: false, pending: 4 }], inSync: false }];
    assert.match(conditionsOf(facts(late), AT)[0]?.cause ?? '', /behind in moh: 4 files to go/);
    const paused = conditionsOf(facts(late, { pausedUntil: new Date(NOW + 1000).toISOString() }), AT);
    assert.deepEqual(kinds(paused), ['paused']);
  });

  it('name a certificate that was not renewed, and a clock that is off', () => {
    const certificateNotAfter = new Date(NOW + 10 * DAY).toISOString();
    assert.deepEqual(kinds(conditionsOf(facts([{ certificateNotAfter, clockOffsetMs: -9_000 }]), AT)), [
      'certificate',
      'clock',
    ]);
  });
});

describe('The causes of conditions', () => {
  it('are given once for all MDS that have them, since the first', () => {
    const standing = (mds: string, since: number): StandingCondition => ({
      key: mds,
      kind: 'error',
      severity: 'warning',
      mds,
      path: 'moh/b.wav',
      cause: 'EACCES',
      action: 'x',
      since,
    });
    const causes = causesOf([standing('mds2', 5), standing('mds1', 3)]);
    assert.equal(causes.length, 1);
    assert.deepEqual(causes[0]?.mds, ['mds1', 'mds2']);
    assert.equal(causes[0]?.since, 3);
  });

  it('of several MDS name none of them in what is to be done', () => {
    const names = ['mds1', 'mds2'];
    const held = { ...MOH, inSync: false, held: '40 of 50 files would be removed' };
    const bad = { directories: [held], owedReloads: ['moh' as const], inSync: false };
    const conditions = conditionsOf(facts(names.map((name) => ({ ...bad, name }))), AT);
    const causes = causesOf(conditions.map((each) => ({ ...each, since: 1 })));
    assert.deepEqual(
      causes.map(({ kind, mds }) => [kind, mds]),
      [
        ['hold', names],
        ['pending-reload', names],
      ],
    );
    for (const { action } of causes) assert.doesNotMatch(action, /mds1/);
  });
});

describe('The tracker of conditions', () => {
  const track = (): { tracker: ConditionTracker; events: string[] } => {
    const events: string[] = [];
    const tracker = new ConditionTracker({
      began: ({ kind, since }) => events.push(`+${kind} since ${since - NOW}`),
      ended: ({ kind }, lasted) => events.push(`-${kind} after ${lasted}`),
    });
    return { tracker, events };
  };
  const of = (mds: Partial<MdsStatus>): Condition[] => conditionsOf(facts([mds]), AT);

  it('reports a beginning and an end once', () => {
    const { tracker, events } = track();
    const held = of({ directories: [{ ...MOH, inSync: false, held: '40 of 50' }] });
    for (const at of [0, 1_000, 2_000]) tracker.update(held, NOW + at);
    tracker.update([], NOW + 3_000);
    tracker.update([], NOW + 4_000);
    assert.deepEqual(events, ['+hold since 0', '-hold after 3000']);
  });

  it('is silent about what ends within its grace period', () => {
    const { tracker, events } = track();
    const away = of({ state: 'disconnected' });
    tracker.update(away, NOW);
    tracker.update(away, NOW + 14_000);
    tracker.update([], NOW + 14_500);
    assert.deepEqual(events, []);
    assert.deepEqual(tracker.standing, []);
  });

  it('knows since when an MDS is away that was away before Main started', () => {
    const { tracker, events } = track();
    const away = of({ state: 'disconnected' });
    tracker.update(away, NOW, new Map([[away[0]?.key ?? '', NOW - 60_000]]));
    assert.deepEqual(events, ['+away since -60000']);
    assert.equal(tracker.standing[0]?.since, NOW - 60_000);
  });

  it('puts the worst first', () => {
    const { tracker } = track();
    tracker.update(
      conditionsOf(
        facts([
          { clockOffsetMs: 10_000 },
          { name: 'mds2', directories: [{ ...MOH, inSync: false, held: 'x' }] },
        ]),
        AT,
      ),
      NOW,
    );
    assert.deepEqual(kinds(tracker.standing), ['hold', 'clock']);
  });
});

void describe('How long ago something was', () => {
  void it('is not said from a clock that is wrong: one of 1970, one of the future', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    assert.equal(ago('1970-01-02T00:00:00Z', now), '-');
    assert.equal(ago('2031-01-01T00:00:00Z', now), '-');
    assert.equal(ago('2025-12-31T23:59:00Z', now), '1 min');
    assert.equal(ago('2026-01-01T00:00:01Z', now), '0 ms');
  });
});
