import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';

const CHECKOUT = path.resolve(import.meta.dirname, '../../..');
/** A mark in a comment: `RACE: what happens. Worst case: what comes of it.` */
const MARK = /\bRACE: (.+?)\. Worst case: (.+?)(?:\.|;|$)/g;
/** A row of the table: file, what happens, worst case. */
const ROW = /^\| `([\w./-]+)` \| (.+?) \| .+ \|$/gm;

/** The marks of one file. A comment may run over several lines. */
function marksOf(file: string): string[] {
  const lines = readFileSync(path.join(CHECKOUT, file), 'utf8').split('\n');
  const text = lines.map((line) => line.replace(/^\s*(?:\/\*\*|\/\/|\*\/?)\s?/, '')).join(' ');
  const marks = [...text.matchAll(MARK)].map(([, window]) => `${file}: ${window}`);
  const names = text.match(/\bRACE:/g)?.length ?? 0;
  assert.equal(marks.length, names, `${file}: a mark without its worst case`);
  return marks;
}

void it('Every window that a race leaves open is marked in the code, with its worst case, and listed', () => {
  const files = globSync('{protocol,shared,controller,agent,install}/**/*.{ts,tsx}', { cwd: CHECKOUT });
  const marked = files.flatMap(marksOf).sort();
  const page = readFileSync(path.join(CHECKOUT, 'docs/architecture.md'), 'utf8');
  const section = page.slice(page.indexOf('## Races'));
  const listed = [...section.matchAll(ROW)].map(([, file, window]) => `${file}: ${window}`).sort();
  assert.ok(marked.length > 0);
  assert.deepEqual(listed, marked);
});
