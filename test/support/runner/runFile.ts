import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runInOwnGroup } from './inOwnGroup.ts';
import type { Group } from './groups.ts';
import type { Result } from './resultLines.ts';

/** @property file what ran: a test file, or how many did */
export type FileRun = { readonly file: string; readonly output: string; readonly results: readonly Result[] };

/**
 * Runs test files in one process to its end, or to its time limit.
 * @param files relative to the checkout
 */
export async function runFiles(
  files: readonly string[],
  checkout: string,
  { limit, testLimit = limit, manyCases = false }: Pick<Group, 'limit' | 'testLimit' | 'manyCases'>,
): Promise<FileRun> {
  const [first = '', ...more] = files;
  const file = more.length === 0 ? first : `${files.length} files, ${first} to ${more.at(-1)}`;
  const folder = mkdtempSync(path.join(tmpdir(), 'xds-results-'));
  try {
    const lines = path.join(folder, 'results');
    const { code, output, late } = await runInOwnGroup(
      [
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        ...(manyCases ? [`--import=${path.join(import.meta.dirname, 'followNoPromises.ts')}`] : []),
        `--test-timeout=${testLimit}`,
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        `--test-reporter=${path.join(import.meta.dirname, 'resultLines.ts')}`,
        `--test-reporter-destination=${lines}`,
        ...(more.length === 0 ? files : [path.join(import.meta.dirname, 'together.ts'), ...files]),
      ],
      { cwd: checkout, limit },
    );
    const results = readResults(lines);
    const empty = files.filter((each) => !results.some(({ from }) => from === path.resolve(checkout, each)));
    const trouble = troubleOf({ code, late, limit, results, empty: more.length === 0 ? [] : empty });
    if (trouble === undefined) return { file, output, results };
    return { file, output, results: [...results, { name: trouble, outcome: 'failed' }] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What went wrong with the file as a whole, beyond what its tests say themselves. */
function troubleOf(run: {
  readonly code: number;
  readonly late: boolean;
  readonly limit: number;
  readonly results: readonly Result[];
  readonly empty: readonly string[];
}): string | undefined {
  if (run.late) return `did not end within ${run.limit / 1000} s`;
  if (run.code !== 0 && run.results.every(({ outcome }) => outcome !== 'failed')) {
    return `ended with exit code ${run.code}`;
  }
  if (run.empty.length > 0) return `no test of ${run.empty.join(', ')} ran`;
  return run.results.length === 0 ? 'holds no test' : undefined;
}

function readResults(file: string): Result[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // It ended before its first line: troubleOf says so.
    return [];
  }
  return text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Result);
}
