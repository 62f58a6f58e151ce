import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { agentDocuments } from '../../../agent/cli/json.ts';
import { agentProgram } from '../../../agent/cli/program.ts';
import { mainDocuments } from '../../../controller/cli/json.ts';
import { controllerProgram } from '../../../controller/cli/program.ts';

const DOCS = path.join(import.meta.dirname, '../../../docs/json');

/** The words of every command that takes --json. */
function withJson(command: Command, words: readonly string[] = []): string[] {
  const own = command.options.some(({ long }) => long === '--json') && words.length > 0;
  const below = command.commands.flatMap((each) => withJson(each, [...words, each.name()]));
  return own ? [words.join(' '), ...below] : below;
}

for (const [name, program, documents] of [
  ['xivo-xds-sync', controllerProgram(), mainDocuments()],
  ['xivo-xds-sync-agent', agentProgram(), agentDocuments()],
] as const) {
  describe(`The JSON of ${name}`, () => {
    it('is published for every command that prints it', () => {
      assert.deepEqual([...documents.keys()].toSorted(), withJson(program).toSorted());
    });

    it('is published as the program has it: "npm run schemas" writes it', () => {
      const files = globSync('*.json', { cwd: path.join(DOCS, name) }).toSorted();
      const wanted = [...documents].map(([command]) => `${command.replaceAll(' ', '-')}.json`);
      assert.deepEqual(files, wanted.toSorted());
      for (const [command, schema] of documents) {
        const file = path.join(DOCS, name, `${command.replaceAll(' ', '-')}.json`);
        assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(JSON.stringify(schema)), file);
      }
    });
  });
}
