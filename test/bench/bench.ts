import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { contestantsOf, installed } from './contestants.ts';
import { unmountAll } from './freshDisk.ts';
import { type Options, readOptions, usage } from './options.ts';
import { buildPackaged } from './packaged.ts';
import { Passes } from './passes.ts';
import { PrivateSshd } from './peers/privateSshd.ts';
import { endAll, findProgram } from './processes.ts';
import { product } from './product.ts';
import { endClusters, usePackaged } from './productCluster.ts';
import { report } from './report.ts';
import type { Results } from './results.ts';
import { SCENARIOS } from './scenarios/scenarios.ts';

const words = process.argv.slice(2);
const known = new Map(SCENARIOS.map(({ name, about }) => [name, about]));
const options = readOptions(words, known);
if (options === undefined) process.stdout.write(usage(known));
else process.exitCode = await bench(options);

async function bench({ sizes, quick, only }: Options): Promise<number> {
  const folder = mkdtempSync(path.join(process.env['XDS_TEST_DIR'] ?? os.tmpdir(), 'xds-bench-'));
  // Clusters make their folders where this says.
  process.env['XDS_TEST_DIR'] = folder;
  let sshd: PrivateSshd | undefined;
  const clean = async (): Promise<void> => {
    await endClusters();
    await endAll();
    await sshd?.end();
    unmountAll();
    rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      void clean().finally(() => process.exit(130));
    });

  try {
    if (findProgram('sshd') !== undefined) sshd = await PrivateSshd.start(path.join(folder, 'ssh'));
    const { here: contestants, skipped } = installed(contestantsOf(sshd, quick));
    const scenarios = installed(SCENARIOS.filter(({ name }) => only.has(name)));
    tell('builds the packaged programs');
    usePackaged(await buildPackaged(path.join(folder, 'packaged')));
    const passes = new Passes(folder, tell);
    const results: Results[] = [];
    for (const { name, measure } of scenarios.here) {
      const own = path.join(folder, 'scenario');
      mkdirSync(own);
      const say = (what: string): void => tell(`${name}: ${what}`);
      results.push(...(await measure({ sizes, contestants, folder: own, passes, sshd, tell: say })));
      rmSync(own, { recursive: true });
    }
    const base = product.name;
    process.stdout.write(
      report({
        runs: sizes.runs,
        contestants,
        skipped: [...skipped, ...scenarios.skipped],
        results,
        base,
        options: words.join(' '),
      }),
    );
    return results.some(({ hasFailures }) => hasFailures) ? 1 : 0;
  } finally {
    await clean();
  }
}

function tell(what: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);
}
