import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MdsStatus, Status } from '../../../../controller/control/contract/contract.ts';
import { type MainFigures, Metrics } from '../../../../controller/metrics/metrics.ts';

const NOW = Date.parse('2026-11-26T20:00:00Z');
const FIGURES: MainFigures = {
  scanMs: undefined,
  watchOverflows: 2,
  stateFails: false,
  freeBytes: new Map([['moh', 1_000]]),
};
const DIRECTORY = {
  name: 'moh',
  inSync: false,
  files: 3,
  bytes: 30,
  pending: 2,
  pendingBytes: 20,
  localOnly: 0,
  held: null,
  digest: '',
  skipped: [],
};
const MDS = {
  name: 'mds1',
  state: 'connected',
  certificateNotAfter: new Date(NOW + 30 * 86_400_000).toISOString(),
  clockOffsetMs: -250,
  lagMs: 1_500,
  directories: [DIRECTORY],
  owedReloads: ['dialplan'],
  bytesPerSecond: 7,
  errors: [],
} as unknown as MdsStatus;

function status(mds: readonly Partial<MdsStatus>[], main: Partial<Status['main']> = {}): Status {
  return {
    main: {
      pausedUntil: null,
      directories: [{ name: 'moh', files: 3, bytes: 30 }],
      ...main,
    },
    mds: mds.map((each) => ({ ...MDS, ...each })),
    causes: [
      { kind: 'hold', mds: ['mds1', 'mds2'] },
      { kind: 'alarm', mds: [] },
    ],
  } as unknown as Status;
}

/** The program's own metrics, by name and labels. */
async function shown(
  metrics: Metrics,
  now = status([{}]),
  figures = FIGURES,
): Promise<Record<string, number>> {
  const text = await metrics.text(now, figures, NOW);
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.startsWith('xds_') && !line.includes('_bucket'))
      .map((line) => [line.slice(4, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

describe('The metrics', () => {
  it('are those of the status, in the units of Prometheus', async () => {
    const all = await shown(new Metrics());
    const expected = {
      'mds_up{mds="mds1"}': 1,
      'mds_behind_seconds{mds="mds1"}': 1.5,
      'directory_in_sync{mds="mds1",directory="moh"}': 0,
      'directory_pending_files{mds="mds1",directory="moh"}': 2,
      'directory_pending_bytes{mds="mds1",directory="moh"}': 20,
      'mds_transfer_bytes_per_second{mds="mds1"}': 7,
      'directory_files{directory="moh"}': 3,
      'directory_bytes{directory="moh"}': 30,
      'directory_free_bytes{directory="moh"}': 1_000,
      'conditions{mds="mds1",kind="hold"}': 1,
      'conditions{mds="mds2",kind="hold"}': 1,
      'conditions{mds="",kind="alarm"}': 1,
      'pending_reloads{mds="mds1",kind="dialplan"}': 1,
      'pending_reloads{mds="mds1",kind="moh"}': 0,
      'mds_certificate_days{mds="mds1"}': 30,
      'mds_clock_offset_seconds{mds="mds1"}': -0.25,
      paused: 0,
      state_write_failing: 0,
      watch_overflows_total: 2,
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(all[name], value, name);
  });

  it('leave out what is not known, and an MDS that is gone', async () => {
    const metrics = new Metrics();
    await shown(metrics);
    const away = {
      state: 'disconnected',
      lagMs: null,
      clockOffsetMs: null,
      certificateNotAfter: null,
    } as const;
    const all = await shown(
      metrics,
      status([{ ...away, directories: [{ ...DIRECTORY, pendingBytes: null }] }]),
    );
    assert.equal(all['mds_up{mds="mds1"}'], 0);
    for (const name of ['mds_behind_seconds', 'mds_clock_offset_seconds', 'mds_certificate_days'])
      assert.equal(all[`${name}{mds="mds1"}`], undefined, name);
    assert.equal(all['directory_pending_bytes{mds="mds1",directory="moh"}'], undefined);
    const none = await shown(metrics, status([{ state: 'revoked' }], { directories: [] }));
    assert.ok(
      !Object.keys(none).some((name) => name.includes('mds="mds1"') && !name.startsWith('conditions')),
    );
    assert.equal(none['directory_files{directory="moh"}'], undefined);
  });

  it('count what was delivered, restored, refused and late', async () => {
    const metrics = new Metrics();
    const action = (kind: string, bytes: number) =>
      ({ directory: 'moh', action: kind as 'send', path: 'a', bytes, reason: '' }) as const;
    metrics.applied('mds1', 'moh', [
      action('send', 10),
      action('restore', 5),
      action('remove', 0),
      action('mkdir', 0),
    ]);
    metrics.delivered('moh', 250);
    metrics.reloaded('mds1', 'dialplan', true, 500);
    metrics.reloaded('mds1', 'dialplan', true, undefined);
    metrics.reloaded('mds1', 'dialplan', false, 900);
    metrics.conflict('mds1', 'moh');
    const all = await shown(metrics);
    assert.equal(all['delivered_files_total{mds="mds1",directory="moh"}'], 2);
    assert.equal(all['delivered_bytes_total{mds="mds1",directory="moh"}'], 15);
    assert.equal(all['drift_repaired_total{mds="mds1",directory="moh"}'], 1);
    assert.equal(all['conflicts_total{mds="mds1",directory="moh"}'], 1);
    assert.equal(all['reloads_total{mds="mds1",kind="dialplan",result="ok"}'], 2);
    assert.equal(all['reloads_total{mds="mds1",kind="dialplan",result="failed"}'], 1);
    assert.equal(all['save_to_visible_seconds_sum{directory="moh"}'], 0.25);
    assert.equal(
      all['save_to_active_seconds_count{kind="dialplan"}'],
      1,
      'a reload that failed made nothing active',
    );
    assert.equal(all['save_to_active_seconds_sum{kind="dialplan"}'], 0.5);
  });

  it('show the last state of Main, not a sum of all of them', async () => {
    const metrics = new Metrics();
    await shown(metrics);
    const paused = status([{}], { pausedUntil: new Date(NOW).toISOString() });
    const all = await shown(metrics, paused, {
      ...FIGURES,
      scanMs: 2_500,
      stateFails: true,
      watchOverflows: 3,
    });
    assert.deepEqual(
      [all['paused'], all['scan_seconds'], all['state_write_failing'], all['watch_overflows_total']],
      [1, 2.5, 1, 3],
    );
    assert.equal(all['conditions{mds="mds1",kind="hold"}'], 1);
  });
});
