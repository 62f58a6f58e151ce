import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';

const CHECKOUT = path.resolve(import.meta.dirname, '../../..');
/** A citation: a test file in code, and the quoted beginnings of titles in it. */
const CITED = /`(\w+)`: ("[^"]+"(?:, "[^"]+")*)/g;

void it('Every test that docs/security.md cites exists, with a title that begins as cited', () => {
  const tests = globSync('test/**/*.test.ts', { cwd: CHECKOUT });
  const page = readFileSync(path.join(CHECKOUT, 'docs/security.md'), 'utf8').replaceAll(/\n\s*/g, ' ');
  const cited = [...page.matchAll(CITED)].flatMap(([, name = '', titles = '']) =>
    [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ name, title })),
  );
  assert.ok(cited.length > 40, `${cited.length} citations`);
  const missing = cited.filter(({ name, title }) => {
    const file = tests.find((each) => path.basename(each) === `${name}.test.ts`);
    if (file === undefined) return true;
    const source = readFileSync(path.join(CHECKOUT, file), 'utf8');
    return !["'", '"', '`'].some(
      (quote) => source.includes(`(${quote}${title}`) || source.includes(`\n    ${quote}${title}`),
    );
  });
  assert.deepEqual(missing, []);
});
