import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AgentReport } from '#protocol/messages/session.ts';
import type { ErrorReport } from '#protocol/messages/common.ts';
import { Reporter, type ReporterOptions } from '../../../../agent/daemon/reporter.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';

const AT = '2026-11-26T20:00:00.000Z';
const trouble = (path: string): ErrorReport => ({ at: AT, path, message: 'no room' });

/** The reporter of an MDS with one directory. */
class Reports {
  readonly clock = new ManualClock();
  readonly sent: AgentReport[] = [];
  readonly reporter: Reporter;
  capabilities = new Set(['skipped', 'figures']);
  isConnected = true;
  before = 0;
  stateTrouble: ErrorReport | undefined;

  constructor() {
    const directory = {
      name: 'moh',
      policy: { reload: 'moh' },
      troubles: new Map([['a.wav', { at: Date.parse(AT), message: 'no room' }]]),
      replica: { trouble: undefined, path: '/moh' },
      skipped: () => [{ path: 'pipe', reason: 'it is a fifo' }],
      report: (figures: boolean) => ({ name: 'moh', ...(figures && { pendingBytes: 7 }) }),
    };
    const session = {
      mainCapabilities: this.capabilities,
      clockOffset: { milliseconds: 1.23456 },
      send: (report: AgentReport) => this.sent.push(report),
    };
    // Only what a report consists of.
    const options = {
      directories: {
        all: new Map([['moh', directory]]),
        unplaced: [{ name: 'agi', message: 'Main says no place' }],
      },
      reloads: { recent: [], pending: ['moh'], troubleOf: (kind: string) => trouble(`reload of ${kind}`) },
      credentials: { troubles: [trouble('identity')] },
      state: { db: { sequence: 9 }, keeper: { trouble: trouble('state') } },
      clock: this.clock,
      session: () => (this.isConnected ? session : undefined),
      onSend: () => (this.before += 1),
    };
    this.reporter = new Reporter(options as unknown as ReporterOptions);
  }
}

describe('The report of an MDS', () => {
  it('names what is wrong, wherever it is', () => {
    const { reporter } = new Reports();
    const report = reporter.report();
    assert.deepEqual(
      report.errors.map(({ path }) => path),
      ['identity', 'state', 'reload of moh', 'agi', 'moh/a.wav'],
    );
    assert.deepEqual([report.sequence, report.clockOffsetMs, report.owedReloads], [9, 1.235, ['moh']]);
    assert.deepEqual(report.directories[0]?.skipped, [{ path: 'pipe', reason: 'it is a fifo' }]);
  });

  it('leaves out what an older Main does not understand', () => {
    const all = new Reports();
    all.capabilities.clear();
    all.reporter.news();
    all.clock.advance(25);
    const [{ directories: [directory] } = { directories: [] }] = all.sent;
    assert.deepEqual(directory, { name: 'moh' });
  });

  it('is sent soon after something changed, once for what changes together', () => {
    const { reporter, clock, sent } = new Reports();
    reporter.news();
    clock.advance(24);
    reporter.news();
    assert.equal(sent.length, 0);
    clock.advance(1);
    assert.equal(sent.length, 1);
    assert.equal(clock.timers, 0);
    reporter.news();
    clock.advance(25);
    assert.equal(sent.length, 2);
  });

  it('is sent at once after a full pass, with its result, and does not come a second time', () => {
    const { reporter, clock, sent } = new Reports();
    reporter.news();
    reporter.reconciled({ at: AT, ok: false, durationMs: 5 });
    assert.deepEqual(
      sent.map(({ lastReconcile }) => lastReconcile),
      [{ at: AT, ok: false, durationMs: 5 }],
    );
    assert.equal(clock.timers, 0);
  });

  it('is kept to itself without a connection, and not sent any more after the end', () => {
    const all = new Reports();
    const { reporter, clock, sent } = all;
    all.isConnected = false;
    reporter.news();
    clock.advance(25);
    assert.deepEqual([sent.length, all.before], [0, 1]);
    assert.equal(reporter.report().clockOffsetMs, 0);
    all.isConnected = true;
    reporter.news();
    reporter.close();
    reporter.news();
    clock.advance(1_000);
    assert.deepEqual([sent.length, clock.timers], [0, 0]);
    const closed = new Reports();
    closed.reporter.close();
    closed.reporter.news();
    assert.equal(closed.clock.timers, 0);
  });
});
