import path from 'node:path';
import { runInOwnGroup } from './inOwnGroup.ts';
import type { FileRun } from './runFile.ts';

const LIMIT = 5 * 60_000;

/** What looks at the whole source before anything runs. Each counts as one test. */
export const CHECKS: readonly { readonly name: string; readonly command: readonly [string, ...string[]] }[] =
  [
    { name: 'type check', command: ['tsc', '--noEmit'] },
    { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
    { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.', '!.cache/**'] },
  ];

export async function runCheck(
  { name, command }: (typeof CHECKS)[number],
  checkout: string,
): Promise<FileRun> {
  const [program, ...args] = command;
  const tool = path.join(checkout, 'node_modules/.bin', program);
  const { code, output } = await runInOwnGroup([tool, ...args], { cwd: checkout, limit: LIMIT });
  const said = code === 0 ? '' : `$ ${command.join(' ')}\n${output}`;
  return { file: name, output: said, results: [{ name, outcome: code === 0 ? 'passed' : 'failed' }] };
}
