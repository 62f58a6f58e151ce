import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { countOf } from '#core/text/countOf.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '../../../..');
/** A number that may be 1, and a plural behind it; the total of `1 of 10 files` is rarely one. */
const PLURAL =
  /(?<!of )\$\{(?![A-Z_]+\})[^{}]*\} (?:more |other |local )?(?:files|folders|paths|lines|entries|changes|problems|contexts|transfers|items|versions|recordings|agents|days)\b/g;

/** Why it is never 1 there. */
const NEVER_ONE: Readonly<Record<string, string>> = {
  'controller/control/differences/differences.ts: ${files.length + more} files':
    'more than are allowed at once',
  'controller/control/differences/take.ts: ${files.length} files': 'more than are allowed at once',
  'controller/cli/differences/pruneCommand.ts: ${meant.length} local files': 'one has words of its own',
};

void it('One thing has no plural', () => {
  assert.deepEqual(
    [0, 1, 2].map((many) => countOf(many, 'file')),
    ['0 files', '1 file', '2 files'],
  );
  assert.equal(countOf(1, 'entry', 'entries'), '1 entry');
  assert.equal(countOf(3, 'entry', 'entries'), '3 entries');
});

void it('No message has a plural behind a number that may be 1', () => {
  const found = globSync('{protocol,shared,controller,agent}/**/*.{ts,tsx}', { cwd: CHECKOUT }).flatMap(
    (file) =>
      [...readFileSync(path.join(CHECKOUT, file), 'utf8').matchAll(PLURAL)].map(
        ([text]) => `${file}: ${text}`,
      ),
  );
  assert.deepEqual(found.toSorted(), Object.keys(NEVER_ONE).toSorted());
});
