import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { CallCounts, type Calls } from '../callCounts.ts';
import { makeFiles, numberedNames } from '../content.ts';
import type { Contestant } from '../contestant.ts';
import { measureFirstPass } from '../measure.ts';
import type { Passes } from '../passes.ts';
import { Results } from '../results.ts';
import type { Scenario } from '../scenario.ts';

/** Names of calls that are shown for each side. */
const SHOWN = 6;

export const calls: Scenario = {
  name: 'calls',
  about: 'system calls a file in a first pass of small files, of each side; nothing is timed',
  needs: { strace: 'strace' },
  measure: async ({ sizes, contestants, folder, passes, tell }) => {
    const results = new Results({
      title: `System calls a file, in a first pass of ${sizes.files} files of 2 to 8 KiB`,
      columns: ['both sides', 'sender', 'receiver'],
      digits: 1,
      hasCost: false,
      ratio: 'makes … times as many',
      notes: [
        'Counted by `strace -c -f` in a pass of its own, which it slows, until 1.5 s after the last file was there; the start of what the pass starts is part of it, and so is ssh.',
      ],
    });
    const content = path.join(folder, 'small');
    const names = numberedNames(sizes.files);
    makeFiles(content, names, { least: 2048, most: 8192 });
    const frequent: string[] = [];
    for (const each of contestants) {
      if (each.counted === undefined) continue;
      tell(each.name);
      const { sender, receiver } = each.counted;
      await passes.attempt(results, each.name, 1, async () => {
        const own = path.join(folder, each.name.replaceAll(/[^a-z]+/g, '-'));
        mkdirSync(own);
        const counted = await count(each, passes, { content, names, folder: own });
        const perFile = (role: string | undefined): number =>
          role === undefined ? Number.NaN : totalOf(counted.get(role)) / names.length;
        const both = [...counted.keys()].reduce((sum, role) => sum + perFile(role), 0);
        results.add(each.name, 1, { values: [both, perFile(sender), perFile(receiver)] });
        for (const [role, of] of counted)
          frequent.push(`- ${each.name}, ${role}: ${mostFrequent(of, names.length)}`);
      });
    }
    results.note(frequent.join('\n'));
    return [results];
  },
};

async function count(
  contestant: Contestant,
  passes: Passes,
  { content, names, folder }: { content: string; names: readonly string[]; folder: string },
): Promise<ReadonlyMap<string, Calls>> {
  const counts = new CallCounts(folder);
  let counted: ReadonlyMap<string, Calls> = new Map();
  const layout = { content, files: names.length, isFilled: false, toMain: false };
  try {
    await passes.withPair(contestant, { ...layout, under: (role) => counts.under(role) }, async (pair) => {
      for (const root of pair.roots()) await counts.attach(root);
      await measureFirstPass(pair, names);
      counted = await counts.end(pair.roots());
    });
  } finally {
    await counts.cancel();
  }
  return counted;
}

function totalOf(of: Calls = new Map()): number {
  return [...of.values()].reduce((sum, times) => sum + times, 0);
}

/** The calls that there were most of, each with how many for a file. */
function mostFrequent(of: Calls, files: number): string {
  return [...of]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([name, times]) => `${name} ${(times / files).toFixed(1)}`)
    .join(', ');
}
