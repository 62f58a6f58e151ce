import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProgressLines } from '#host/cli/output/progress.ts';

const MIB = 1024 * 1024;
const AT_REST = { filesTotal: null, bytesTotal: null, files: 0, bytes: 0 };

describe('The progress of a command', () => {
  it('is a line a host, with files, bytes, rate and the time that is left', () => {
    const progress = new ProgressLines();
    progress.update({ host: 'main', doing: 'reading', ...AT_REST }, 0);
    const mds = { host: 'mds10', doing: 'syncing', filesTotal: 4, bytesTotal: 10 * MIB };
    progress.update({ ...mds, files: 0, bytes: 0 }, 0);
    progress.update({ ...mds, files: 1, bytes: 2 * MIB }, 1_000);
    assert.deepEqual(progress.lines(8), [
      'mds10  syncing: 1 of 4 files, 2 MiB of 10 MiB, 2 MiB/s, 4 s left',
      'main   reading',
    ]);
    progress.update({ host: 'main', doing: 'done', ...AT_REST }, 1_500);
    assert.equal(progress.lines(8).length, 1);
  });

  it('takes the rate over the last seconds, and starts over with the next task', () => {
    const progress = new ProgressLines();
    const mds = { host: 'mds1', files: 0, filesTotal: 0, bytesTotal: 100 * MIB };
    for (let s = 0; s <= 20; s++)
      progress.update({ ...mds, doing: 'a', bytes: Math.min(s, 10) * 5 * MIB }, s * 1_000);
    assert.deepEqual(progress.lines(8), ['mds1  a: 50 MiB of 100 MiB']);
    progress.update({ ...mds, doing: 'b', bytes: 90 * MIB }, 21_000);
    assert.deepEqual(progress.lines(8), ['mds1  b: 90 MiB of 100 MiB']);
  });

  it('counts what does not fit', () => {
    const progress = new ProgressLines();
    for (let i = 0; i < 20; i++) progress.update({ host: `mds${i}`, doing: 'reading', ...AT_REST }, 0);
    assert.equal(progress.lines(8).length, 8);
    assert.equal(progress.lines(8).at(-1), '… and 13 more');
  });
});
