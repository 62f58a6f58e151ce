import { globSync } from 'node:fs';
import path from 'node:path';

export type Group = {
  readonly name: string;
  /** How many files run at a time: what starts daemons and measures time has the machine to itself. */
  readonly concurrency: number;
  /** How long one file may take, in milliseconds, before everything that it started is ended. */
  readonly limit: number;
};

const MINUTE = 60_000;

/** The folders of test/, in the order in which they run: what is quick and says most comes first. */
export const GROUPS: readonly Group[] = [
  { name: 'unit', concurrency: 2, limit: 2 * MINUTE },
  { name: 'property', concurrency: 2, limit: 20 * MINUTE },
  { name: 'process', concurrency: 1, limit: 15 * MINUTE },
  { name: 'lab', concurrency: 1, limit: 15 * MINUTE },
];

/** The test files of a group, by their paths in the checkout. */
export function filesOf(group: Group, checkout: string): string[] {
  return globSync(path.join('test', group.name, '**/*.test.ts'), { cwd: checkout }).toSorted();
}

/** Whether `wanted` means this file: its group, its path, its name, or the name without `.test.ts`. */
export function isMeant(wanted: string, group: Group, file: string): boolean {
  const base = path.basename(file);
  return [group.name, file, `./${file}`, base, base.replace(/\.test\.ts$/, '')].includes(wanted);
}
