import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

const CHECKOUT = path.join(import.meta.dirname, '../../..');

/** Every page that a person reads. */
export const PAGES: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  ...globSync('docs/**/*.md', { cwd: CHECKOUT }).toSorted(),
];

/** A prompt, sudo or the checkout's path may stand before a program's name. */
const PROGRAM = /^(?:[$#] )?(?:sudo )?(?:\.\/bin\/)?(xivo-xds-sync(?:-agent)?(?: .*)?)$/;

/** What is written as a pattern of commands, such as `mds …`, is none. */
const PATTERN = /[…{}*]|\[|<[a-z]/;

export function textOf(page: string): string {
  return readFileSync(path.join(CHECKOUT, page), 'utf8');
}

export type Documented = {
  /** Commands of both programs, from blocks of shell and from `code`, as they are typed. */
  readonly commands: readonly string[];
  /** The other commands in blocks of shell. */
  readonly others: readonly string[];
};

/** The commands that a page names. */
export function commandsIn(text: string): Documented {
  const { shell, shown, prose } = divided(text);
  const commands: string[] = [];
  const others: string[] = [];
  for (const line of shell) {
    for (const piece of piecesOf(line)) {
      const found = PROGRAM.exec(piece)?.[1];
      if (found === undefined) others.push(piece);
      else if (!PATTERN.test(found)) commands.push(found);
    }
  }
  for (const line of shown) {
    const found = PROGRAM.exec(line.trim())?.[1];
    if (found !== undefined && !PATTERN.test(found)) commands.push(found);
  }
  for (const [, code = ''] of prose.matchAll(/`([^`]+)`/g)) {
    for (const piece of piecesOf(code.replace(/\s+/g, ' '))) {
      const found = PROGRAM.exec(piece)?.[1];
      // In a sentence a program's name alone is the program.
      if (found?.includes(' ') === true && !PATTERN.test(found)) commands.push(found);
    }
  }
  return { commands, others };
}

/** Lines of blocks of shell, of blocks of no language (what a screen shows), and the text outside of all blocks. */
function divided(text: string): { shell: string[]; shown: string[]; prose: string } {
  const shell: string[] = [];
  const shown: string[] = [];
  const prose: string[] = [];
  let block: string | undefined;
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    const fence = /^```(\w*)/.exec(line)?.[1];
    if (fence !== undefined) block = block === undefined ? fence : undefined;
    else if (block === undefined) prose.push(line);
    else if (block === '') shown.push(line);
    else if (/^(sh|shell|bash|console)$/.test(block)) shell.push(line);
  }
  return { shell, shown, prose: prose.join('\n') };
}

function piecesOf(line: string): string[] {
  return line
    .replace(/(^|\s)#\s.*$/, '')
    .split(/ && | \| |; /)
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '');
}
