import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Status } from '../../../../controller/control/contract/contract.ts';
import { BehindHistory } from '../../../../controller/page/behindHistory.ts';

const SLOT = 5 * 60_000;
const START = 1_000 * SLOT;

/** All that the history looks at. */
function status(lagMs: number | null = 0): Status {
  return { mds: [{ name: 'mds1', lagMs }] } as unknown as Status;
}

describe('How far behind an MDS was', () => {
  it('is the worst of every five minutes, and unknown where there was no sample', () => {
    const history = new BehindHistory();
    history.sample(status(), START);
    history.sample(status(90_000), START + 90_000);
    history.sample(status(null), START + 100_000);
    history.sample(status(), START + 3 * SLOT);
    assert.deepEqual(history.all['mds1']?.slice(-5), [null, 90, null, null, 0]);
    assert.equal(history.all['mds1']?.length, 288);
  });

  it('forgets what is older than a day, and everything when the clock was set back', () => {
    const history = new BehindHistory();
    history.sample(status(60_000), START);
    history.sample(status(), START + 288 * SLOT);
    assert.equal(history.all['mds1']?.filter((value) => value !== null).length, 1);
    history.sample(status(), START);
    assert.deepEqual(history.all['mds1']?.slice(-1), [0]);
    assert.equal(history.all['mds1']?.filter((value) => value !== null).length, 1);
  });
});
