import assert from 'node:assert/strict';
import { it } from 'node:test';
import { soak } from '../soak/soak.ts';

/** As many as the promise names; the seed and more rounds come with `npm run soak`. */
const KILLS = 200;
const CUTS = 200;
/** They come quickly one after another: about once a second on each host. */
const KILLS_PER_ROUND = 20;

void it(`a Main and three MDS lose nothing under ${KILLS} kills and ${CUTS} cuts of every kind`, async (t) => {
  const report = await soak({
    seed: 1,
    length: 0,
    kills: KILLS,
    cuts: CUTS,
    killsPerRound: KILLS_PER_ROUND,
    loopback: false,
    keep: false,
    say: (line) => t.diagnostic(line),
  });
  t.diagnostic(JSON.stringify(report));
  assert.ok(report.kills >= KILLS);
  assert.ok(report.cuts >= CUTS);
});
