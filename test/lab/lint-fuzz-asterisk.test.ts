import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { extensionKey } from '#core/dialplan/lint.ts';
import { folderWorld } from '../support/dialplan/folderWorld.ts';
import { AsteriskInstance } from './asterisk/instance.ts';
import { fetchAsterisk } from './asterisk/root.ts';
import { readDialplan, readDialplanShow } from '../support/dialplan/atOnce.ts';

const ROUNDS = 150;
/** The same folders at each run, since some random one may crash Asterisk itself; another seed tries others. */
const SEED = Number(process.env['XDS_SEED'] ?? 20_261_124);

const root = fetchAsterisk();

/**
 * No two ways to write one pattern: with those, an unknown label makes Asterisk 16.28 crash at the next reload
 * (`_[0-9],2`, then `same => nolabel`, then `_X,n`). Lint calls the unknown label an error.
 */
const extension = fc.constantFrom('1', '2', '12-34', '_X', '_N.', 's', '1/5', '1/55', 'été', '_X[1-3', '');
const priority = fc.constantFrom(
  '1',
  '2',
  'n',
  'n',
  'n(l)',
  '3(l)',
  'n+2',
  'l',
  'l+1',
  's',
  'hint',
  '0',
  '-1',
  'x',
  '',
  '1(l',
  '2x',
);
const application = fc.constantFrom(
  'NoOp(a)',
  'NoOp',
  'Set(A=b)',
  'NoOp(a,b)',
  'Dial(SIP/1,20)',
  'SIP/1',
  'NoOp(a',
  '',
  'X(;-- c --;d)',
  'X(a\\;b) ; c',
  'F(g(h))i',
);
const line = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(extension, priority, application).map((parts) => `exten => ${parts.join(',')}`),
  },
  { weight: 6, arbitrary: fc.tuple(priority, application).map((parts) => ` same = ${parts.join(',')}`) },
  {
    weight: 4,
    arbitrary: fc.constantFrom('[a]', '[b]', '[t](!)', '[c](t)', '[a](+)', '[A] x', '[globals]', '[general]'),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '; c',
      ';--',
      '--;',
      'x --; exten => 9,1,NoOp(z)',
      ';---',
      'exten += x',
      'foo',
      '',
      '\t',
      'bar = 1',
      'include => b',
      '= x',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '[d',
      '\\',
      '\\exten = 8,1,NoOp',
      '#x',
      '[e](t',
      '#tryinclude /nonexistent',
      '\uFEFFx',
    ),
  },
);
const file = fc
  .tuple(fc.array(line, { maxLength: 14 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
  .map(([lines, newline, ends]) => lines.join(newline) + (ends ? newline : ''));
// A start that the rest can lean on.
const first = file.map((text) => `[t](!)\nexten => 7,1,NoOp(t)\n[a]\n${text}`);
const folder = fc.record({ a: first, 'b.conf': file, c: file });

/** `[a](+)` and a first line without a section lean on what is outside; the corpus has those. */
function leansOnOutside(files: ReadonlyMap<string, Buffer>): boolean {
  return readDialplan(folderWorld(files)).findings.some(
    ({ message, severity, losesRest }) =>
      severity === 'warning' &&
      (losesRest || /whatever section|outside this folder|label '.*' is not defined/.test(message)),
  );
}

test(
  'random files have the plan in Asterisk that lint predicts',
  { skip: root.missing ?? false },
  async (t) => {
    if (root.missing !== undefined) return;
    const asterisk = await AsteriskInstance.create(root.folder, await mkdtemp(join(tmpdir(), 'lint-fuzz-')));
    t.after(() => asterisk.remove());
    const { dialplan } = asterisk.folders;
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(folder, async (texts) => {
        for (const [name, text] of Object.entries(texts)) await writeFile(join(dialplan, name), text);
        const files = new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));
        if (leansOnOutside(files)) return;
        compared += 1;
        const { priorities, findings } = readDialplan(folderWorld(files));
        const answer = await asterisk.cli('dialplan reload');
        if (answer.includes('No such command')) await asterisk.cli('module load pbx_config.so');
        const shown = await asterisk.cli('dialplan show');
        const live = readDialplanShow(Buffer.from(shown).toString('latin1'));
        assert.ok(live.isWhole);
        const planned = priorities.map(({ place, shown, context, extension, caller }) =>
          JSON.stringify([context, extensionKey(extension, caller), shown, place.path, place.counted]),
        );
        const active = live.priorities
          .filter(({ file }) => file !== 'extensions.conf')
          .map(({ context, extension, caller, shown, file, counted }) =>
            JSON.stringify([context, extensionKey(extension, caller), shown, file, counted]),
          );
        assert.deepEqual(planned.sort(), active.sort(), JSON.stringify(findings, null, 1));
      }),
      { numRuns: ROUNDS, seed: SEED },
    );
    assert.ok(compared > ROUNDS / 3, `only ${String(compared)} of them could be compared`);
    await rm(dialplan, { recursive: true });
  },
);
