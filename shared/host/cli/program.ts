import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/configError.ts';
import { VERSION } from '../version.ts';
import { EXIT } from './exitCodes.ts';

export type GlobalOptions = { readonly config?: string; readonly root?: string; readonly log?: string };

/** A command line with what both programs share: --config, --root, --log, and the exit codes. */
export function makeProgram(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option('--config <file>', 'configuration file')
    .option('--root <dir>', 'put this folder before every path (a whole host in a folder; also XDS_ROOT)')
    .option('--log <where>', 'auto (syslog), stderr, or json')
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false });
}

/** Runs it and gives the exit code. Whatever a person can mend is told in one line, without a stack. */
export async function runProgram(program: Command, argv: readonly string[]): Promise<number> {
  let code: number = EXIT.done;
  // `status | head` is no accident.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.done);
  });
  try {
    for (const command of program.commands) command.exitOverride();
    await program.parseAsync([...argv], { from: 'user' });
    code = typeof process.exitCode === 'number' ? process.exitCode : EXIT.done;
  } catch (error) {
    code = report(program.name(), error);
  }
  return code;
}

function report(name: string, error: unknown): number {
  if (error instanceof CommanderError) {
    // Help and version are no errors; commander has already printed the others.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  const message = error instanceof Error ? error.message : String(error);
  const known = error instanceof ConfigError ? EXIT.usage : (error as { exitCode?: unknown }).exitCode;
  process.stderr.write(`${name}: ${message}\n`);
  if (typeof known === 'number') return known;
  if (process.env['XDS_DEBUG'] !== undefined && error instanceof Error)
    process.stderr.write(`${error.stack}\n`);
  return EXIT.failed;
}
