import type { Command } from 'commander';
import { UsageError } from './usageError.ts';

export type Shortcuts = {
  /** What runs when no command is named. */
  readonly fallback?: string;
  /** Options that stand for a command when none is named, such as `-i` for `init`. */
  readonly options?: Readonly<Record<string, string>>;
};

/**
 * Completes a command line: adds the command of a shortcut, or the fallback, when no command is named, and turns
 * `help CMD` into `CMD --help`.
 * @throws UsageError for `help CMD` with a word too many
 */
export function completeWords(program: Command, argv: readonly string[], shortcuts: Shortcuts): string[] {
  const first = indexOfCommand(program, argv, shortcuts);
  if (first !== undefined && argv[first] === 'help') return asHelp(program, argv, first);
  if (first !== undefined && !isWordTooMany(program, argv, first, shortcuts)) return [...argv];
  if (argv.some((word) => ['-h', '--help', '-V', '--version'].includes(word))) return [...argv];
  for (const [option, command] of Object.entries(shortcuts.options ?? {})) {
    if (argv.includes(option)) return [command, ...argv.filter((word) => word !== option)];
  }
  return shortcuts.fallback === undefined ? [...argv] : [shortcuts.fallback, ...argv];
}

/** Whether a word that is no command follows an option of the command that is implied, as in `-n mds1`. */
function isWordTooMany(
  program: Command,
  argv: readonly string[],
  first: number,
  { fallback, options = {} }: Shortcuts,
): boolean {
  if (named(program, argv[first] ?? '') !== undefined) return false;
  const implied = fallback === undefined ? undefined : named(program, fallback);
  const own = [
    ...Object.keys(options),
    ...(implied?.options ?? []).flatMap(({ short, long }) => [short, long]),
  ];
  return argv.slice(0, first).some((word) => own.includes(word));
}

function named(parent: Command, word: string): Command | undefined {
  return parent.commands.find((each) => each.name() === word || each.aliases().includes(word));
}

/** The place of the first word that is neither an option nor an option's value. */
function indexOfCommand(
  program: Command,
  argv: readonly string[],
  { fallback, options = {} }: Shortcuts,
): number | undefined {
  const implied = program.commands.filter((command) =>
    [fallback, ...Object.values(options)].includes(command.name()),
  );
  const takesValue = new Set(
    [program, ...implied]
      .flatMap((command) => command.options)
      .flatMap(({ required, short, long }) => (required ? [short, long] : [])),
  );
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--') return i + 1 < argv.length ? i + 1 : undefined;
    if (!word.startsWith('-') || word === '-') return i;
    if (takesValue.has(word)) i += 1;
  }
  return undefined;
}

/**
 * `help CMD` is `CMD --help`. One that does not exist is left to the program, which says so and suggests another.
 * @throws UsageError for a word after a command without commands of its own: the command itself must not run
 */
function asHelp(program: Command, argv: readonly string[], at: number): string[] {
  const words = argv.slice(at + 1).filter((word) => word !== '-h' && word !== '--help');
  let command = program;
  for (const word of words) {
    const found = named(command, word);
    if (found === undefined && command.commands.length === 0)
      throw new UsageError(`help takes only the name of a command, not "${word}" after "${pathOf(command)}"`);
    if (found === undefined) return [...argv.slice(0, at), ...words];
    command = found;
  }
  return [...argv.slice(0, at), ...words, '--help'];
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
