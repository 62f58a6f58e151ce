import assert from 'node:assert/strict';
import { it } from 'node:test';
import { soak } from './soak.ts';

/** A test that runs a soak over network namespaces until it has killed and cut as often as asked for. */
export function soakTest(how: {
  readonly seed: number;
  readonly kills: number;
  readonly cuts: number;
  /** They come quickly one after another: about once a second on each host. */
  readonly killsPerRound: number;
}): void {
  const { kills, cuts } = how;
  void it(`a Main and three MDS lose nothing under ${kills} kills and ${cuts} cuts of every kind`, async (t) => {
    const report = await soak({
      ...how,
      length: 0,
      loopback: false,
      keep: false,
      say: (line) => t.diagnostic(line),
    });
    t.diagnostic(JSON.stringify(report));
    assert.ok(report.kills >= kills);
    assert.ok(report.cuts >= cuts);
  });
}
