import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Argument, Command, Option } from 'commander';
import { type Example, examplesOf } from '#host/cli/program.ts';

/** What to type, and what it does. */
export type Described = { readonly term: string; readonly text: string };

/** What may stand in a place of a command line: completion offers it. */
export type Takes = 'mds' | 'directory' | 'path' | 'file' | 'changeset' | 'text';

export type OptionHelp = Described & {
  /** `--mds`, and `-n` where there is one. */
  readonly names: readonly string[];
  /** Undefined for a switch. */
  readonly takes: Takes | undefined;
};

/** A command as the program declares it, with everything below it. */
export type CommandHelp = {
  /** Program and commands, such as `xivo-xds-sync mds add`. */
  readonly words: readonly string[];
  /** What follows these words, such as `[options] <name>`. */
  readonly usage: string;
  readonly summary: string;
  readonly takes: readonly Takes[];
  readonly options: readonly OptionHelp[];
  readonly examples: readonly Example[];
  readonly commands: readonly CommandHelp[];
};

/** Describes a program by its declarations, so that manual and completion say what the program says. */
export function describeCommand(command: Command, before: readonly string[] = []): CommandHelp {
  const words = [...before, command.name()];
  const visible = command.createHelp();
  return {
    words,
    usage: command.usage(),
    summary: command.description(),
    takes: command.registeredArguments.map((argument) => takenBy(argument, words)),
    options: visible
      .visibleOptions(command)
      .filter(({ long }) => long !== '--help')
      .map((option) => describeOption(option, words)),
    examples: examplesOf(command),
    commands: visible
      .visibleCommands(command)
      .filter((each) => each.name() !== 'help')
      .map((each) => describeCommand(each, words)),
  };
}

function describeOption(option: Option, words: readonly string[]): OptionHelp {
  const value: unknown = option.defaultValue;
  const standard = typeof value === 'string' ? ` (default: ${value})` : '';
  const takes = option.required || option.optional ? takenByOption(option, words) : undefined;
  const names = [option.long, option.short].filter((name) => name !== undefined);
  return { term: option.flags, text: `${option.description}${standard}`, names, takes };
}

function takenByOption({ long, flags }: Option, words: readonly string[]): Takes {
  if (long === '--mds' || long === '--from') return 'mds';
  if (long === '--directory') return 'directory';
  if (long === '--path' || long === '--as') return 'path';
  if (long === '--changeset') return 'changeset';
  // An agent's and Main's own folders are no synchronised paths.
  return /<(file|dir)>/.test(flags) && words.length > 0 ? 'file' : 'text';
}

function takenBy(argument: Argument, words: readonly string[]): Takes {
  const name = argument.name();
  if (name === 'mds' || (name === 'name' && words.includes('mds') && words.at(-1) !== 'add')) return 'mds';
  if (name === 'directory' || name === 'path' || name === 'file' || name === 'changeset') return name;
  return 'text';
}

const run = promisify(execFile);

/** Runs a bundled program once. @throws when it does not run, which is worth knowing before it is packed */
export async function proveRuns(library: string, version: string): Promise<void> {
  const { stdout } = await run(
    path.join(library, 'node'),
    ['--disable-warning=ExperimentalWarning', path.join(library, 'program.mjs'), '--version'],
    { env: { ...process.env, LD_LIBRARY_PATH: path.join(library, 'lib') } },
  );
  if (stdout.trim() !== version)
    throw new Error(`the program says that it is ${stdout.trim()}, not ${version}`);
}
