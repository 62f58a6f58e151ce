import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { copySounds, filesBelow, makeFiles, makeLargeFile } from './content.ts';
import type { Contestant } from './contestant.ts';
import { unmountAll } from './freshDisk.ts';
import { lsyncd } from './lsyncd.ts';
import { Passes, rotated } from './passes.ts';
import { PrivateSshd } from './privateSshd.ts';
import { endAll, findProgram } from './processes.ts';
import { buildPackaged } from './packaged.ts';
import { endClusters, product, usePackaged } from './product.ts';
import { report, scenarios } from './report.ts';
import { rsync } from './rsync.ts';
import { syncthing } from './syncthing.ts';
import { unison } from './unison.ts';

const SCENARIOS = ['small', 'sounds', 'large', 'recordings', 'idle'] as const;
type Scenario = (typeof SCENARIOS)[number];
const USUAL = { runs: '3', files: '10000', large: '600', idle: '100000', recordings: '200' } as const;
/** What `--quick` measures: minutes instead of half an hour, and only this program and rsync. */
const QUICK = { runs: '1', files: '3000', large: '200', idle: '30000', recordings: '30' } as const;

const USAGE = `npm run bench -- [--quick] [--only ${SCENARIOS.join(',')}] [--runs 3] [--files 10000] [--large 600] [--idle 100000] [--recordings 200]

Measures this program beside rsync, lsyncd, syncthing and unison, on this machine, over loopback only.
  --runs N    how often everything is measured
  --files N   files of 2 to 8 KiB in the first pass, and in the folder of the live changes
  --large N   size of the one large file, in MiB
  --idle N    files of the pass that finds nothing to do
  --recordings N  files of 2 to 4 MB, both ways
  --only A,B  only these: small (with live changes), sounds, large (with changes of it), recordings (both ways), idle
  --quick     less of all, and only rsync beside this program: about five minutes
`;

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string' },
    files: { type: 'string' },
    large: { type: 'string' },
    idle: { type: 'string' },
    recordings: { type: 'string' },
    only: { type: 'string', default: SCENARIOS.join(',') },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) process.stdout.write(USAGE);
else process.exitCode = await bench();

async function bench(): Promise<number> {
  const sizes = {
    runs: count('runs'),
    files: count('files'),
    large: count('large'),
    idle: count('idle'),
    recordings: count('recordings'),
  };
  const only = new Set(options.only.split(','));
  const unknown = [...only].find((name) => !SCENARIOS.includes(name as Scenario));
  if (unknown !== undefined) throw new Error(`--only takes some of ${SCENARIOS.join(',')}, not ${unknown}`);
  const isMeasured = (name: Scenario): boolean => only.has(name);
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

  const theSshd = (): PrivateSshd => {
    if (sshd === undefined) throw new Error('no sshd runs');
    return sshd;
  };
  const all: readonly Contestant[] = [
    product,
    rsync(theSshd),
    lsyncd(theSshd, { delay: 1, comparesPasses: true, liveChanges: 30 }),
    // Each change waits for the whole delay: a few tell the same as many.
    lsyncd(theSshd, { comparesPasses: false, liveChanges: 3 }),
    syncthing,
    unison(theSshd),
  ];
  const isThere = ({ needs }: Contestant): boolean => missing(needs).length === 0;
  const asked = options.quick ? all.slice(0, 2) : all;
  const contestants = asked.filter(isThere);
  const skipped = asked
    .filter((each) => !isThere(each))
    .map(({ name, needs }) => `${name}: ${missing(needs).join(', ')} not installed`);

  try {
    if (findProgram('sshd') !== undefined) sshd = await PrivateSshd.start(path.join(folder, 'ssh'));
    const content = (name: string): string => path.join(folder, 'content', name);
    const names = (many: number, perFolder: number): string[] =>
      Array.from(
        { length: many },
        (_, i) => `${perFolder === 0 ? '' : `${Math.floor(i / perFolder)}/`}${i}.wav`,
      );
    tell('builds the packaged programs, and makes the files');
    usePackaged(await buildPackaged(path.join(folder, 'packaged')));
    mkdirSync(content(''));
    if (isMeasured('small')) makeFiles(content('small'), names(sizes.files, 0), { least: 2048, most: 8192 });
    if (isMeasured('large')) makeLargeFile(path.join(content('large'), 'large.wav'), sizes.large);
    if (isMeasured('recordings'))
      makeFiles(content('recordings'), names(sizes.recordings, 0), { least: 2e6, most: 4e6 });
    const packages = isMeasured('sounds') ? copySounds(content('sounds')) : [];
    const sounds = packages.length === 0 ? [] : filesBelow(content('sounds'));

    const results = scenarios(sizes, { packages, folder: content('sounds'), names: sounds });
    const passes = new Passes(folder, tell);
    for (let run = 1; run <= sizes.runs; run++) {
      const turn = rotated(contestants, run);
      if (isMeasured('small'))
        for (const each of turn)
          await passes.once(each, run, content('small'), { first: results.small, live: results.live });
      if (sounds.length > 0)
        for (const each of turn) await passes.once(each, run, content('sounds'), { first: results.sounds });
      if (isMeasured('large'))
        for (const each of turn)
          await passes.once(each, run, content('large'), { first: results.large, edits: results.edits });
      if (isMeasured('recordings'))
        for (const each of turn) {
          await passes.once(each, run, content('recordings'), { first: results.recordings });
          await passes.once(each, run, content('recordings'), { first: results.toMain }, true);
        }
    }
    for (const name of readdirSync(content(''))) rmSync(content(name), { recursive: true });
    if (isMeasured('idle')) {
      makeFiles(content('idle'), names(sizes.idle, 1000), { least: 64, most: 512 });
      await passes.idle(contestants, sizes.runs, content('idle'), results.idle);
    }

    process.stdout.write(
      report({
        sizes,
        contestants,
        skipped,
        results: Object.values(results),
        base: product.name,
        options: process.argv.slice(2).join(' '),
      }),
    );
    return Object.values(results).some(({ hasFailures }) => hasFailures) ? 1 : 0;
  } finally {
    await clean();
  }
}

function missing(needs: Readonly<Record<string, string>>): string[] {
  return Object.keys(needs).filter((program) => findProgram(program) === undefined);
}

function count(name: keyof typeof USUAL): number {
  const value = Number(options[name] ?? (options.quick ? QUICK : USUAL)[name]);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} takes a whole number from 1, not ${options[name]}`);
  return value;
}

function tell(what: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);
}
