import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Traffic } from '../../../../../controller/sessions/content/traffic.ts';

describe('What travels to and from an MDS', () => {
  it('is counted as long as it travels, and until the MDS has reported what is left', () => {
    let now = 0;
    let moved = 0;
    const traffic = new Traffic(() => now);
    const end = traffic.begin({
      directory: 'moh',
      direction: 'to-mds',
      path: 'a.wav',
      files: 1,
      bytesTotal: 1_000,
      moved: () => moved,
    });
    moved = 400;
    assert.equal(traffic.travelled('moh'), 400);
    assert.equal(traffic.travelled('sounds'), 0);
    assert.equal(traffic.transfers.length, 1);
    now = 1_000;
    assert.equal(traffic.rate, 400);
    // Compressed: less has moved than the files have.
    moved = 700;
    end(true);
    end(true);
    assert.equal(traffic.travelled('moh'), 1_000);
    assert.equal(traffic.transfers.length, 0);
    traffic.reported();
    assert.equal(traffic.travelled('moh'), 0);
    now = 2_000;
    assert.equal(traffic.rate, 350);
    now = 7_500;
    assert.equal(traffic.rate, 0, 'nothing has moved for as long as the rate is taken over');
  });

  it('does not count an interrupted transfer as complete', () => {
    const traffic = new Traffic(() => 0);
    const end = traffic.begin({
      directory: 'moh',
      direction: 'to-main',
      path: 'a.wav',
      files: 1,
      bytesTotal: 1_000,
      moved: () => 10,
    });
    end(false);
    assert.equal(traffic.travelled('moh'), 0);
  });
});
