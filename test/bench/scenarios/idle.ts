import path from 'node:path';
import { makeFiles, numberedNames } from '../content.ts';
import { giveSecondName, measureAgain, measureFound } from '../measure.ts';
import { Results } from '../results.ts';
import type { Scenario } from '../scenario.ts';

const CHANGED = '0/0.wav';

export const idle: Scenario = {
  name: 'idle',
  about: 'the command for a pass: with nothing to do, and with one file changed that no watch saw',
  measure: async ({ sizes, contestants, folder, passes }) => {
    const tableOf = (title: string, notes: readonly string[] = []): Results =>
      new Results({ title, columns: ['seconds'], digits: 2, hasCost: false, notes });
    const nothing = tableOf(
      `Nothing to do: the command for a pass over ${sizes.idle} files that are the same on both sides`,
    );
    const found = tableOf(`One of ${sizes.idle} files is changed: the command for a pass that finds it`, [
      'It is written by a second name (a hard link) outside of the watched folders, which inotify does not report, 1.5 s before the command.',
    ]);
    const content = path.join(folder, 'idle');
    makeFiles(content, numberedNames(sizes.idle, 1000), { least: 64, most: 512 });
    await passes.sideBySide(contestants, sizes.runs, content, {
      prepare: (pair) => giveSecondName(pair, CHANGED),
      tasks: [
        { what: 'nothing to do', results: nothing, measure: measureAgain },
        { what: 'one file changed', results: found, measure: (pair) => measureFound(pair, CHANGED) },
      ],
    });
    return [nothing, found];
  },
};
