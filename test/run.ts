import path from 'node:path';
import { CHECKS, runCheck } from './support/runner/checks.ts';
import { bundles, compileCache } from './support/harness/bundles.ts';
import {
  batchesOf,
  byLength,
  filesOf,
  GROUPS,
  isMeant,
  STANDARD,
  weightOf,
} from './support/runner/groups.ts';
import { whyItMaySkip } from './support/runner/maySkip.ts';
import { type FileRun, runFiles } from './support/runner/runFile.ts';

/**
 * `npm test`: the checks, then every test file of the standard groups, group by group. `npm test -- unit mainJob` runs
 * what is named: `check`, a group, or a file. The last line is `N passed, N failed, N skipped`; the exit code is 0 when
 * none failed.
 */

const CHECKOUT = path.resolve(import.meta.dirname, '..');
/** With CI=true a test that skips fails, unless its file may skip there. */
const STRICT = process.env['CI'] === 'true';

/** What the spec reporter says at the end of each file; only the sum of all files is of interest. */
const FILE_TOTALS = /^ℹ (?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+\n/gm;

/** Characters of a failed file's output that are printed again at the end. */
const LAST_WORDS = 8_000;

const named = process.argv.slice(2);
const wanted = named.length === 0 ? STANDARD : named;
const plan = GROUPS.map((group) => ({
  group,
  files: filesOf(group, CHECKOUT).filter((file) => wanted.some((word) => isMeant(word, group, file))),
}));
const started = performance.now();
refuseUnknown();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => process.exit(130));

// Every test starts the same programs, whatever is edited meanwhile; and what Node compiles is kept for all.
process.env['NODE_COMPILE_CACHE'] = compileCache();
if (plan.some(({ group, files }) => group.name === 'process' && files.length > 0)) bundles();

const done: FileRun[] = [];
if (wanted.includes('check'))
  await Promise.all(CHECKS.map((check) => timed(() => runCheck(check, CHECKOUT))));
await runAll();
process.exitCode = summarise() ? 0 : 1;

function refuseUnknown(): void {
  const known = (word: string): boolean =>
    word === 'check' ||
    GROUPS.some(
      (group) => group.name === word || filesOf(group, CHECKOUT).some((f) => isMeant(word, group, f)),
    );
  const unknown = wanted.filter((word) => !known(word));
  if (unknown.length === 0) return;
  const groups = ['check', ...GROUPS.map(({ name }) => name)].join(', ');
  console.error(`No test is called ${unknown.join(', ')}: name a group (${groups}) or a test file.`);
  process.exit(2);
}

/** Each file's output is printed when it ends, so that several at a time don't mix. */
async function runAll(): Promise<void> {
  const waiting = plan
    .flatMap(({ group, files }) => batchesOf(group, files, CHECKOUT).map((batch) => ({ group, batch })))
    .map((part) => ({ ...part, file: part.batch[0] ?? '' }))
    .toSorted((a, b) => a.group.turn - b.group.turn || byLength(a.file, b.file));
  const running = new Map<string, Promise<void>>();
  let taken = 0;
  for (const { group, batch, file } of waiting) {
    const weight = Math.min(group.capacity, weightOf(group, file));
    while (taken + weight > group.capacity) await Promise.race(running.values());
    taken += weight;
    const run = timed(() => runFiles(batch, CHECKOUT, group)).finally(() => {
      taken -= weight;
      running.delete(file);
    });
    running.set(file, run);
  }
  await Promise.all(running.values());
}

async function timed(run: () => Promise<FileRun>): Promise<void> {
  const began = performance.now();
  report(await run(), `, ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

function report(run: FileRun, took: string): void {
  done.push(run);
  console.log(`\n=== ${run.file}${took}\n${run.output.replace(FILE_TOTALS, '').trimEnd()}`);
}

/** @param from where a test is defined, which is a helper of its file in some cases */
function fileOf(from: string | undefined): string | undefined {
  return from?.endsWith('.test.ts') === true ? path.relative(CHECKOUT, from) : undefined;
}

/** Lists what failed and what was skipped, and ends with the closing line. @returns whether all is well */
function summarise(): boolean {
  const all = done.flatMap((run) =>
    run.results.map((result) => ({ ...result, file: fileOf(result.from) ?? run.file })),
  );
  const skipped = all.filter(({ outcome }) => outcome === 'skipped');
  const forbidden = STRICT ? skipped.filter(({ file }) => whyItMaySkip(file) === undefined) : [];
  const failed = all.filter(({ outcome }) => outcome === 'failed');
  console.log('');
  for (const { file, name, skip } of skipped) {
    const verdict = forbidden.some((each) => each.file === file) ? ' (and may not, with CI=true)' : '';
    console.log(`skipped${verdict}: ${file}: ${name}: ${skip ?? ''}`);
  }
  // Once more at the end: who keeps only the last lines of a long log needs to know what failed, and how.
  for (const { file, output, results } of done) {
    if (results.every(({ outcome }) => outcome !== 'failed')) continue;
    console.log(`\n=== again, since it failed: ${file}\n${output.slice(-LAST_WORDS)}`);
  }
  for (const { file, name } of failed) console.log(`failed: ${file}: ${name}`);
  const bad = failed.length + forbidden.length;
  const passed = all.length - failed.length - skipped.length;
  console.log(`in ${Math.round((performance.now() - started) / 1000)} s`);
  console.log(`${passed} passed, ${bad} failed, ${skipped.length - forbidden.length} skipped`);
  return bad === 0 && all.length > 0;
}
