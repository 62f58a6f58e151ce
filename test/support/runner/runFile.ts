import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runInOwnGroup } from './inOwnGroup.ts';
import type { Result } from './resultLines.ts';

export type FileRun = { readonly file: string; readonly output: string; readonly results: readonly Result[] };

/**
 * Runs one test file to its end, or to its time limit.
 * @param file relative to the checkout
 * @param limit milliseconds
 */
export async function runFile(file: string, checkout: string, limit: number): Promise<FileRun> {
  const folder = mkdtempSync(path.join(tmpdir(), 'xds-results-'));
  try {
    const lines = path.join(folder, 'results');
    const { code, output, late } = await runInOwnGroup(
      [
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        `--test-reporter=${path.join(import.meta.dirname, 'resultLines.ts')}`,
        `--test-reporter-destination=${lines}`,
        file,
      ],
      { cwd: checkout, limit },
    );
    const results = readResults(lines);
    const trouble = troubleOf({ code, late, limit, results });
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
}): string | undefined {
  if (run.late) return `did not end within ${run.limit / 1000} s`;
  if (run.code !== 0 && run.results.every(({ outcome }) => outcome !== 'failed')) {
    return `ended with exit code ${run.code}`;
  }
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
