import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { agentDocuments } from '../agent/cli/json.ts';
import { mainDocuments } from '../controller/cli/json.ts';

/** `npm run schemas`: writes docs/json, a JSON Schema for what each command prints with `--json`. */

const DOCS = path.resolve(import.meta.dirname, '../docs/json');

rmSync(DOCS, { recursive: true, force: true });
for (const [program, documents] of [
  ['xivo-xds-sync', mainDocuments()],
  ['xivo-xds-sync-agent', agentDocuments()],
] as const) {
  mkdirSync(path.join(DOCS, program), { recursive: true });
  for (const [command, schema] of documents)
    writeFileSync(
      path.join(DOCS, program, `${command.replaceAll(' ', '-')}.json`),
      `${JSON.stringify(schema, null, 2)}\n`,
    );
}
