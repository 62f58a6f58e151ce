import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/configError.ts';
import { VERSION } from '../version.ts';
import { completeWords, type Shortcuts } from './commandLine.ts';
import { EXIT } from './exitCodes.ts';
import { print, printError, watchTerminal } from './output/terminal.ts';

export type GlobalOptions = { readonly config?: string; readonly root?: string; readonly log?: string };

/** A command line and its description. */
export type Example = readonly [command: string, does: string];

/** Creates the commander program with what both programs share: --config, --root, --log and the exit codes. */
export function makeProgram(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'show what a command does, with examples')
    .option('--config <file>', 'configuration file')
    .option(
      '--root <dir>',
      "prefix every path with DIR, to run a whole host inside a folder; never touches this machine's services (env: XDS_ROOT)",
    )
    .option('--log <where>', 'auto (syslog), stderr, or json')
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: printLines,
      writeErr: (text) => printLines(text, printError),
      outputError: (text, write) => write(text.replace(/^error: /, `${name}: `)),
    })
    .configureHelp({ sortSubcommands: false });
}

const EXAMPLES = new WeakMap<Command, readonly Example[]>();

/** The examples of a command, for its manual. */
export function examplesOf(command: Command): readonly Example[] {
  return EXAMPLES.get(command) ?? [];
}

/** Adds examples to a command's `--help`; the manual shows them, too. */
export function withExamples(command: Command, examples: readonly Example[]): Command {
  EXAMPLES.set(command, examples);
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, does]) => `  ${line.padEnd(width)}  # ${does}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** Runs it and returns the exit code. An error that a person can fix is printed as one line, without a stack. */
export async function runProgram(
  program: Command,
  argv: readonly string[],
  shortcuts: Shortcuts = {},
): Promise<number> {
  watchTerminal(program.name());
  try {
    await program.parseAsync(completeWords(program, argv, shortcuts), { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT.done;
  } catch (error) {
    return report(program.name(), error);
  }
}

function printLines(text: string, out: (line: string) => void = print): void {
  for (const line of text.replace(/\n$/, '').split('\n')) out(line);
}

function report(name: string, error: unknown): number {
  // Help and version are no errors; commander has already printed the others.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const message = error instanceof Error ? error.message : String(error);
  const known = error instanceof ConfigError ? EXIT.usage : exitCodeOf(error);
  for (const line of message.split('\n')) printError(`${name}: ${line}`);
  if (known !== undefined) return known;
  if (process.env['XDS_DEBUG'] !== undefined && error instanceof Error)
    for (const line of (error.stack ?? '').split('\n')) printError(line);
  return EXIT.failed;
}

/** The exit code that an error names itself. */
function exitCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error && 'exitCode' in error)) return undefined;
  return typeof error.exitCode === 'number' ? error.exitCode : undefined;
}
