import type { Command } from 'commander';
import type { Context } from '../context.ts';

/** What the declarations share: where the command runs, and how its exit code is kept. */
export type Run = {
  readonly context: () => Context;
  readonly finish: (code: number) => void;
};

/** Adds commands to a program or to a group of it. */
export type Declare = (program: Command, run: Run) => void;

export const JSON_OPTION = ['--json', 'print JSON'] as const;
export const MDS_OPTION = ['--mds <name>', 'only this MDS'] as const;
