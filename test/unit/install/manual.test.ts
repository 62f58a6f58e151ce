import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { agentProgram } from '../../../agent/cli/program.ts';
import { controllerProgram } from '../../../controller/cli/program.ts';
import { type CommandHelp, describeCommand } from '../../../install/package/commands.ts';
import { manPage } from '../../../install/package/manPage.ts';

const noGroff = spawnSync('groff', ['--version']).error === undefined ? undefined : 'there is no groff';

function all(command: CommandHelp): CommandHelp[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(all);
}

for (const program of [controllerProgram(), agentProgram()]) {
  describe(`The manual page of ${program.name()}`, () => {
    const described = describeCommand(program);
    const page = manPage(described, '1.2.3', 0);

    it('has every section that a manual has', () => {
      const sections = [...page.matchAll(/^\.SH (.*)$/gm)].map(([, name]) => name);
      assert.deepEqual(sections.slice(0, 6), [
        'NAME',
        'SYNOPSIS',
        'DESCRIPTION',
        'OPTIONS',
        'COMMANDS',
        'EXAMPLES',
      ]);
      assert.deepEqual(sections.slice(6), ['FILES', 'ENVIRONMENT', 'EXIT STATUS', 'LOGS', 'SEE ALSO']);
    });

    it('shows examples that can be copied, on a terminal of 80 columns', { skip: noGroff }, () => {
      const { stdout } = spawnSync('groff', ['-man', '-Tascii', '-P-cbou', '-rLL=78n'], {
        input: page,
        encoding: 'utf8',
      });
      const shown = stdout.replaceAll(/\n +/g, ' ');
      for (const command of all(described))
        for (const [example = ''] of command.examples) assert.ok(shown.includes(` ${example} `), example);
    });

    it('has every command with its whole description, each option, and examples', { skip: noGroff }, () => {
      const { stdout, stderr, status } = spawnSync(
        'groff',
        ['-man', '-Tutf8', '-ww', '-P-cbou', '-rLL=400n'],
        {
          input: page,
          encoding: 'utf8',
        },
      );
      assert.equal(status, 0, stderr);
      assert.equal(stderr, '');
      const shown = stdout.replace(/[‐−]/g, '-').replace(/[‘’]/g, "'").replace(/\s+/g, ' ');
      for (const command of all(described)) {
        assert.ok(command.examples.length > 0, `${command.words.join(' ')} has no example`);
        for (const text of [
          command.words.slice(1).join(' '),
          command.summary.slice(1),
          ...command.options.flatMap((option) => [option.term, option.text]),
          ...command.examples.flat(),
        ])
          assert.ok(shown.includes(text.replace(/\s+/g, ' ')), `${command.words.join(' ')}: ${text}`);
      }
    });
  });
}
