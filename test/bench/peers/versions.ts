import { spawnSync } from 'node:child_process';

/** The first line that a program says of itself, wherever it says it. */
export function firstLineOf(program: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });
  return (stdout.trim() || stderr.trim()).split('\n')[0]?.replaceAll(/\s+/g, ' ') ?? '';
}
