import { statSync } from 'node:fs';
import path from 'node:path';
import { copySounds, filesBelow } from '../content.ts';
import { rotated } from '../passes.ts';
import { firstPassTable } from '../results.ts';
import type { Scenario } from '../scenario.ts';

export const sounds: Scenario = {
  name: 'sounds',
  about: 'a first pass of real sounds, both ways, if they are installed',
  measure: async ({ sizes, contestants, folder, passes, tell }) => {
    const content = path.join(folder, 'sounds');
    const packages = copySounds(content);
    const names = packages.length === 0 ? [] : filesBelow(content);
    if (names.length === 0)
      tell('skipped: apt-get install asterisk-core-sounds-en-wav asterisk-moh-opsound-wav');
    const bytes = names.reduce((sum, name) => sum + statSync(path.join(content, name)).size, 0);
    const first = firstPassTable(
      `First pass of ${names.length} real sound files, ${Math.round(bytes / 1e6)} MB`,
      [`They are those of ${packages.join(' and ')}.`],
    );
    const toMain = firstPassTable('The same sounds from an MDS to Main');
    for (let run = 1; run <= sizes.runs && names.length > 0; run++)
      for (const each of rotated(contestants, run))
        await passes.bothWays(each, run, content, { first, toMain });
    return [first, toMain];
  },
};
