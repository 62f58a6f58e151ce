import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { shellWords } from '#core/text/shellWords.ts';
import { completeWords, type Shortcuts } from '#host/cli/commandLine.ts';
import { agentProgram } from '../../../agent/cli/program.ts';
import { controllerProgram, SHORTCUTS } from '../../../controller/cli/program.ts';
import { commandsIn, PAGES, textOf } from '../../support/docs/documentedCommands.ts';

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

for (const page of PAGES)
  void test(`every command in ${page} is one of the real programs`, async () => {
    for (const line of commandsIn(textOf(page)).commands)
      await assert.doesNotReject(parse(line), `${page}: ${line}`);
  });

void test('commands are found where they stand, and wrong ones are', async () => {
  const found = PAGES.flatMap((page) => commandsIn(textOf(page)).commands);
  assert.ok(found.length > 90, `${found.length}`);
  for (const wrong of ['xivo-xds-sync frobnicate', 'xivo-xds-sync status --nope', 'xivo-xds-sync-agent sync'])
    await assert.rejects(parse(wrong), wrong);
});

void test('a block that is no shell, and what comes after it, is read for what it is', () => {
  const page = [
    '```yaml',
    'a: `xivo-xds-sync no`',
    '```',
    'Text with `xivo-xds-sync status`, by `xivo-xds-sync` itself.',
    '```sh',
    'xivo-xds-sync check-config && systemctl reload xivo-xds-sync   # both',
    'xivo-xds-sync             # a pass',
    '```',
  ].join('\n');
  assert.deepEqual(commandsIn(page), {
    commands: ['xivo-xds-sync check-config', 'xivo-xds-sync', 'xivo-xds-sync status'],
    others: ['systemctl reload xivo-xds-sync'],
  });
});
