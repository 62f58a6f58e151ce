import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { contestantsOf, installed } from '../../bench/contestants.ts';
import { SCENARIOS } from '../../bench/scenarios/scenarios.ts';

const PAGE = readFileSync(path.resolve(import.meta.dirname, '../../../docs/benchmarks.md'), 'utf8');
/** It comes with the server. */
const WITH_ANOTHER = ['openssh-client'];

describe('What the benchmark compares with', () => {
  const all = contestantsOf(undefined, false);

  it('is rsync over ssh alone when it is to be quick, and the limits', () => {
    assert.deepEqual(
      contestantsOf(undefined, true).map(({ name }) => name),
      ['xivo-xds-sync', 'rsync over ssh', 'limit: cp -a', 'limit: tar | ssh | tar'],
    );
  });

  it('has limits by that name only, which come last and are asked for one pass only', () => {
    const limits = all.filter(({ kind }) => kind === 'limit');
    assert.equal(limits.length, 2);
    assert.deepEqual(limits, all.slice(-2));
    for (const { name, liveChanges, hasCommand } of limits)
      assert.deepEqual(
        { isNamed: name.startsWith('limit: '), liveChanges, hasCommand },
        { isNamed: true, liveChanges: 0, hasCommand: false },
      );
  });

  it('is said not to be encrypted where it is not', () => {
    const daemon = all.filter(({ name }) => name.includes('daemon'));
    assert.deepEqual(
      daemon.map(({ name }) => name),
      ['rsync daemon, unencrypted'],
    );
  });

  it('is left out with a reason when a program of it is not installed', () => {
    const [there, absent, alone] = [
      { name: 'there', needs: { sh: 'dash' } },
      { name: 'absent', needs: { sh: 'dash', 'no-such-program': 'some-package' } },
      { name: 'alone' },
    ] as const;
    assert.deepEqual(installed([there, absent, alone]), {
      here: [there, alone],
      skipped: ['absent: no-such-program not installed (apt-get install some-package)'],
    });
  });

  it('is installed by the line that the page gives', () => {
    const packages = new Set([...all, ...SCENARIOS].flatMap(({ needs }) => Object.values(needs ?? {})));
    const [line = ''] = /^apt-get install .*openssh-server.*$/m.exec(PAGE) ?? [];
    assert.deepEqual(
      [...packages].filter((each) => !line.split(' ').includes(each)),
      WITH_ANOTHER,
    );
  });

  it('has a row in the table of setups', () => {
    const rows = PAGE.replaceAll('`', '')
      .replaceAll(String.raw`\|`, '|')
      .split('\n');
    const lacks = all.filter(({ name, kind }) => {
      const setup = kind === 'limit' ? name : name.replace(/, (?:delay|its default|fsWatcher).*/, '');
      return !rows.some((row) => row.startsWith(`| ${setup} | `));
    });
    assert.deepEqual(
      lacks.map(({ name }) => name),
      [],
    );
  });
});

describe('The parts of the benchmark', () => {
  it('are in the table of what --only takes', () => {
    const table = PAGE.slice(0, PAGE.indexOf('## '));
    assert.deepEqual(
      SCENARIOS.map(({ name }) => name).filter((name) => !table.includes(`\`${name}\``)),
      [],
    );
  });
});
