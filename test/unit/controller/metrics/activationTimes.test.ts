import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AgentReport } from '#protocol/messages/session.ts';
import { ActivationTimes } from '../../../../controller/metrics/activationTimes.ts';

const T = Date.parse('2026-11-25T20:00:00Z');
const report = (
  reloads: readonly { at: number; ok?: boolean; kind?: 'dialplan' | 'moh' }[],
  clockOffsetMs = 0,
): AgentReport =>
  ({
    clockOffsetMs,
    reloads: reloads.map(({ at, ok = true, kind = 'dialplan' }) => ({
      kind,
      at: new Date(T + at).toISOString(),
      ok,
      durationMs: 20,
      output: '',
    })),
  }) as unknown as AgentReport;

describe('The time from a save to active', () => {
  it('is counted once, from the first reload after the save, by the clock of Main', () => {
    const times = new ActivationTimes();
    assert.deepEqual(times.learn(report([{ at: 0 }])), []);
    times.await('dialplan', T + 1_000);
    // The MDS's clock is 5 s ahead.
    assert.deepEqual(times.learn(report([{ at: 0 }, { at: 6_300 }], 5_000)), [
      { kind: 'dialplan', ok: true, afterMs: 320 },
    ]);
    assert.deepEqual(times.learn(report([{ at: 0 }, { at: 6_300 }], 5_000)), []);
    assert.deepEqual(times.learn(report([{ at: 9_000 }], 5_000)), [
      { kind: 'dialplan', ok: true, afterMs: undefined },
    ]);
  });

  it('is not that of a reload that failed, or of one for something else', () => {
    const times = new ActivationTimes();
    times.learn(report([]));
    times.await('dialplan', T);
    assert.deepEqual(times.learn(report([{ at: 100, ok: false }, { at: 200, kind: 'moh' }, { at: 300 }])), [
      { kind: 'dialplan', ok: false, afterMs: undefined },
      { kind: 'moh', ok: true, afterMs: undefined },
      { kind: 'dialplan', ok: true, afterMs: 320 },
    ]);
  });
});
