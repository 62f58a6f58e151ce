import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { contestantsOf } from '../../bench/contestants.ts';
import { report } from '../../bench/report.ts';
import { Results } from '../../bench/results.ts';

const results = (): Results => new Results({ title: 'A pass', columns: ['s'], digits: 1, hasCost: false });

describe('A table of results', () => {
  it('compares with each other row of the same run, and has a name with bars in one cell', () => {
    const table = results();
    table.add('ours', 1, { values: [3] });
    table.add('limit: a | b', 1, { values: [2] });
    table.note('- said below');
    assert.equal(
      table.markdown('ours'),
      [
        '### A pass',
        '',
        '|  | s | ours takes … times as long |',
        '| --- | ---: | ---: |',
        '| ours | 3.0 |  |',
        String.raw`| limit: a \| b | 2.0 | 1.50 |`,
        '',
        '- said below',
        '',
      ].join('\n'),
    );
  });

  it('leaves a cell empty for what a program does not have', () => {
    const table = new Results({ title: 'Calls', columns: ['both', 'far'], digits: 1, hasCost: false });
    table.add('cp', 1, { values: [2, Number.NaN] });
    assert.match(table.markdown('ours'), /^\| cp \| 2\.0 \|  \|/m);
  });
});

describe('The report', () => {
  const all = { runs: 1, skipped: [], results: [], base: 'ours', options: '' };
  const contestants = contestantsOf(undefined, true).map((each) => ({ ...each, version: () => each.name }));

  it('says what limits are where there is one', () => {
    assert.match(report({ ...all, contestants }), /Limits are no competitors/);
    const others = contestants.filter(({ kind }) => kind === 'competitor');
    assert.doesNotMatch(report({ ...all, contestants: others }), /Limits are no competitors/);
  });

  it('says what was left out', () => {
    const skipped = ['calls: strace not installed (apt-get install strace)'];
    assert.match(report({ ...all, contestants, skipped }), /^Skipped:\n\n- calls: strace not installed/m);
  });
});
