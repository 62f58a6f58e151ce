import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';

const CHECKOUT = path.resolve(import.meta.dirname, '../../..');
const FILES = [
  '*.md',
  'docs/**/*.md',
  '{protocol,shared,controller,agent,install,demo,bin,test}/**/*.{ts,tsx,mts,sh,service,path,yml,css,html}',
];

/** Words that are not used in documentation, comments, messages, test titles and names; and what is used instead. */
const AVOIDED: Readonly<Record<string, string>> = {
  told: 'reported, announced, notified, sent',
  begun: 'started; resume offset',
  'strange|stranger|strangers': 'missing, replaced, mismatch, unauthenticated',
  'whoever|whomever': 'the program, host or person that is meant',
  'nobody|everybody|anybody': 'no program, every MDS, any client',
  somebody: 'someone, a person, another program',
  anew: 'again, new',
  'owe|owes|owed': 'pending',
  'mend|mends|mended|mending': 'fix, correct, repair',
  'the like': 'and similar',
  wherefrom: 'where … from',
  'forgive|forgives|forgave|forgiven': 'reset',
  'he|him|his|himself': 'it (a host, a program), they (a person)',
};
/** Exceptions: names on the wire, on disk and in JSON, which are stable, and the Unix user `nobody`. */
const ALLOWED = [
  /'ask-begun'/g,
  /`ask-begun`/g,
  /'begun'|begun: \(\{/g,
  /`begun`/g,
  /`owed:/g,
  /'strange'/g,
  /\bowedReloads\b/g,
  /\bnotBegun\b/g,
  /'nobody'|`nobody`|user nobody|\bnobody[@ ]<?nobody@|\bnobody@/g,
];

/** The words of a text; those of a name such as `whatWasTold` each by itself. */
const wordsOf = (text: string): string =>
  ALLOWED.reduce((rest, allowed) => rest.replaceAll(allowed, ''), text)
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ');

const PATTERN = new RegExp(
  `\\b(?:${Object.keys(AVOIDED)
    .map((words) => `(${words})`)
    .join('|')})\\b`,
  'gi',
);

function avoidedIn(text: string): string[] {
  const words = wordsOf(text);
  return [...words.matchAll(PATTERN)].map((match) => {
    const [, ...groups] = match;
    const instead = Object.values(AVOIDED)[groups.findIndex((group) => group !== undefined)];
    const around = words.slice(Math.max(0, match.index - 30), match.index + 30).replaceAll(/\s+/g, ' ');
    return `"${around}": rather ${instead ?? ''}`;
  });
}

void it('Documentation, comments, messages and names use plain words', () => {
  const found = globSync(FILES, { cwd: CHECKOUT })
    .filter((file) => !file.includes('node_modules') && path.join(CHECKOUT, file) !== import.meta.filename)
    .flatMap((file) =>
      avoidedIn(readFileSync(path.join(CHECKOUT, file), 'utf8')).map((place) => `${file}: ${place}`),
    );
  assert.deepEqual(found, []);
});

void it('An avoided word is found in a comment, in a message and in a name; a name on the wire is not', () => {
  assert.equal(avoidedIn('// Nobody is told.').length, 2);
  assert.equal(avoidedIn("throw new Error('the reload is owed')").length, 1);
  assert.equal(avoidedIn('const lastTold = 1; const MAY_MEND = 2;').length, 2);
  assert.equal(avoidedIn("{ type: 'ask-begun' } // there, then, this").length, 0);
});
