import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

/** A line of `--help`: what to type, and what it does. */
export type Described = { readonly term: string; readonly text: string };

/** A command as its own `--help` describes it, with everything below it. */
export type CommandHelp = {
  /** Program and commands, such as `xivo-xds-sync mds add`. */
  readonly words: readonly string[];
  readonly usage: string;
  readonly summary: string;
  readonly options: readonly Described[];
  readonly commands: readonly CommandHelp[];
};

const run = promisify(execFile);

/**
 * Asks a bundled program for the help of every command, so that manual and completion say what the program says.
 * @throws when it does not run, which is worth knowing before it is packed
 */
export async function readCommands(library: string, program: string): Promise<CommandHelp> {
  return ask(library, [program]);
}

async function ask(library: string, words: readonly string[]): Promise<CommandHelp> {
  const { stdout } = await run(
    path.join(library, 'node'),
    ['--disable-warning=ExperimentalWarning', path.join(library, 'program.mjs'), ...words.slice(1), '--help'],
    { env: { ...process.env, LD_LIBRARY_PATH: path.join(library, 'lib'), COLUMNS: '1000', NO_COLOR: '1' } },
  );
  const sections = sectionsOf(stdout);
  const below = (sections.get('Commands:') ?? []).filter(({ term }) => !term.startsWith('help'));
  const commands: CommandHelp[] = [];
  for (const { term } of below) {
    const [name = ''] = term.split(/[ |]/);
    commands.push(await ask(library, [...words, name]));
  }
  return {
    words,
    usage: /^Usage: (.*)$/m.exec(stdout)?.[1] ?? words.join(' '),
    summary: /^Usage: .*\n\n(.*)$/m.exec(stdout)?.[1] ?? '',
    options: sections.get('Options:') ?? [],
    commands,
  };
}

/** The lists below each heading; a line that goes on is part of the one before. */
function sectionsOf(help: string): Map<string, Described[]> {
  const sections = new Map<string, Described[]>();
  let list: Described[] | undefined;
  for (const line of help.split('\n')) {
    if (/^\S.*:$/.test(line)) sections.set(line, (list = []));
    const found = /^ {2}(\S.*?)(?: {2,}(.*))?$/.exec(line);
    if (found?.[1] !== undefined) list?.push({ term: found[1], text: found[2] ?? '' });
  }
  return sections;
}
