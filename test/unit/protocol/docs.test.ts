import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { AGENT_CAPABILITIES, MAIN_CAPABILITIES } from '#protocol/capabilities.ts';
import * as limits from '#protocol/limits.ts';
import { fromAgentSchema, fromMainSchema } from '#protocol/messages/session.ts';

const DOCS = readFileSync(path.join(import.meta.dirname, '../../../docs/protocol.md'), 'utf8');
/** What both may say is described below the tables. */
const BOTH = ['credit', 'cancel', 'ping', 'pong'];

/** The first cells of a table's rows, without its head; what a cell names in code. */
function namedIn(head: string): string[] {
  const table = DOCS.slice(DOCS.indexOf(head)).split('\n\n', 1)[0] ?? '';
  return table
    .split('\n')
    .slice(2)
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));
}

for (const [head, schema] of [
  ['| from the agent |', fromAgentSchema],
  ['| from Main |', fromMainSchema],
] as const) {
  void test(`docs/protocol.md names every message ${head.slice(2, -2)}, and no other`, () => {
    const types = schema.options.map(({ shape }) => shape.type.value);
    assert.deepEqual(namedIn(head).toSorted(), types.filter((type) => !BOTH.includes(type)).toSorted());
    for (const type of BOTH) assert.ok(types.some((each) => each === type) && DOCS.includes(`\`${type}\``));
  });
}

void test('docs/protocol.md names every capability, and whose it is', () => {
  const rows = [...DOCS.matchAll(/^\| `([a-z-]+)` \| (agent|Main|agent, Main) \|/gm)];
  const of = (side: string): string[] =>
    rows.filter(([, , sides]) => sides?.includes(side)).map(([, name]) => name ?? '');
  assert.deepEqual(of('agent').toSorted(), [...AGENT_CAPABILITIES].toSorted());
  assert.deepEqual(of('Main').toSorted(), [...MAIN_CAPABILITIES].toSorted());
});

void test("docs/protocol.md has every limit's number", () => {
  const rows = [...DOCS.matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)];
  assert.deepEqual(
    Object.fromEntries(rows.map(([, name, number]) => [name, Number(number)])),
    Object.fromEntries(Object.entries(limits)),
  );
});
