import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { shellWords } from '#core/text/shellWords.ts';
import { completeWords, type Shortcuts } from '#host/cli/commandLine.ts';
import { agentProgram } from '../../../agent/cli/program.ts';
import { controllerProgram, SHORTCUTS } from '../../../controller/cli/program.ts';

const CHECKOUT = path.join(import.meta.dirname, '../../..');
const FILES = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: CHECKOUT })];

/** The commands of both programs that a text names: in blocks of shell, and in `code`. */
function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```(?:sh|shell|bash|console)?\n([\s\S]*?)^```/gm)].flatMap(
    ([, block = '']) => block.replaceAll('\\\n', ' ').split('\n'),
  );
  const inline = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) =>
    code.replace(/\s+/g, ' '),
  );
  return [...blocks, ...inline].flatMap((line) => {
    // A prompt, sudo, another host's shell or the checkout's path may stand before it.
    const found =
      /(?:^|[$#] |\bsudo |\| |&& |; |\/)(xivo-xds-sync(?:-agent)?(?: [^|;&#]*)?)(?:$|[|;&#])/.exec(
        line.trim(),
      );
    return found?.[1] === undefined ? [] : [found[1].trim()];
  });
}

/** The program as it is, but for what it does: every word is judged, and nothing happens. */
function harmless(program: Command): Command {
  for (const command of [program, ...program.commands.flatMap((each) => [each, ...each.commands])])
    command
      .exitOverride()
      .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
      .action(() => undefined);
  return program;
}

async function parse(line: string): Promise<void> {
  const [name = '', ...words] = shellWords(line).filter((word) => !/^\d?[<>]/.test(word));
  const shortcuts: Shortcuts = name === 'xivo-xds-sync' ? SHORTCUTS : {};
  const program = harmless(name === 'xivo-xds-sync' ? controllerProgram() : agentProgram());
  try {
    await program.parseAsync(completeWords(program, words, shortcuts), { from: 'user' });
  } catch (error) {
    if ((error as { exitCode?: number }).exitCode !== 0) throw error;
  }
}

for (const file of FILES)
  void test(`every command in ${file} is one of the real programs`, async () => {
    for (const line of commandsIn(readFileSync(path.join(CHECKOUT, file), 'utf8'))) {
      // What is written as a pattern of commands, such as `mds …`, is none.
      if (/[…{}*]|\[|<[a-z]/.test(line) || /^xivo-xds-sync(-agent)?$/.test(line)) continue;
      await assert.doesNotReject(parse(line), `${file}: ${line}`);
    }
  });

void test('commands are found where they stand, and wrong ones are', async () => {
  const found = FILES.flatMap((file) => commandsIn(readFileSync(path.join(CHECKOUT, file), 'utf8')));
  assert.ok(found.length > 60, `${found.length}`);
  for (const wrong of ['xivo-xds-sync frobnicate', 'xivo-xds-sync status --nope', 'xivo-xds-sync-agent sync'])
    await assert.rejects(parse(wrong), wrong);
});
