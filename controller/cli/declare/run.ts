import type { Command } from 'commander';
import type { Context } from '../context.ts';

/** Shared by the declarations: the context of the command, and where its exit code is stored. */
export type Run = {
  readonly context: () => Context;
  readonly finish: (code: number) => void;
};

/** Adds commands to a program or to one of its groups. */
export type Declare = (program: Command, run: Run) => void;

export const JSON_OPTION = ['--json', 'print JSON'] as const;
export const MDS_OPTION = ['--mds <name>', 'only this MDS'] as const;
