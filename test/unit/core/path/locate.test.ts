import assert from 'node:assert/strict';
import { test } from 'node:test';
import { locateOrWhole, locatePath, type Named } from '#core/path/locate.ts';
import { isNested, nestedInside } from '#core/path/nesting.ts';

const SOUNDS: Named = {
  roots: ['/r/var/lib/xivo/sounds', '/var/lib/xivo/sounds', 'sounds'],
  nested: new Set(['recordings']),
};
const RECORDINGS: Named = {
  roots: ['/r/var/lib/xivo/sounds/recordings', '/var/lib/xivo/sounds/recordings', 'recordings'],
  nested: new Set(),
};

function located(written: string, locate = locatePath): string {
  const found = locate([SOUNDS, RECORDINGS], written);
  return found === undefined
    ? 'nowhere'
    : `${found.directory === SOUNDS ? 'sounds' : 'recordings'}: ${found.path}`;
}

void test('a path is in the deepest directory that holds it, however it is written', () => {
  for (const [written, expected] of [
    ['/var/lib/xivo/sounds/fr/a.wav', 'sounds: fr/a.wav'],
    ['/r/var/lib/xivo/sounds/fr/a.wav', 'sounds: fr/a.wav'],
    ['sounds/fr/a.wav', 'sounds: fr/a.wav'],
    ['/var/lib/xivo/sounds/recordings/a.wav', 'recordings: a.wav'],
    ['recordings/a.wav', 'recordings: a.wav'],
    ['sounds/recordings/a.wav', 'recordings: a.wav'],
    ['sounds/recordings2/a.wav', 'sounds: recordings2/a.wav'],
    ['/var/lib/xivo/soundsX/a.wav', 'nowhere'],
    ['/etc/passwd', 'nowhere'],
    ['a.wav', 'nowhere'],
    ['sounds', 'nowhere'],
  ] as const)
    assert.equal(located(written), expected, written);
});

void test('the name of a directory alone may stand for all of it', () => {
  for (const written of ['sounds', 'sounds/', '/var/lib/xivo/sounds', '/r/var/lib/xivo/sounds//'])
    assert.equal(located(written, locateOrWhole), 'sounds: ', written);
  // Also of one inside another.
  for (const written of ['recordings', '/var/lib/xivo/sounds/recordings', 'sounds/recordings/']) {
    assert.equal(located(written, locateOrWhole), 'recordings: ', written);
    assert.equal(located(written), 'nowhere', written);
  }
  assert.equal(located('sounds/a.wav', locateOrWhole), 'sounds: a.wav');
  assert.equal(located('', locateOrWhole), 'nowhere');
});

void test('what is in a directory that is not here is nowhere', () => {
  for (const written of ['sounds/recordings', 'sounds/recordings/a.wav'])
    assert.equal(locateOrWhole([SOUNDS], written), undefined, written);
});

void test('a directory inside another one is not content of that one', () => {
  const nested = nestedInside(
    new Map([
      ['sounds', '/s'],
      ['recordings', '/s/recordings'],
      ['deep', '/s/recordings/deep/er'],
      ['soundsX', '/sX'],
    ]),
  );
  assert.deepEqual(
    [...nested].map(([name, inside]) => [name, [...inside]]),
    [
      ['sounds', ['recordings', 'recordings/deep/er']],
      ['recordings', ['deep/er']],
      ['deep', []],
      ['soundsX', []],
    ],
  );
  const inside = new Set(['recordings']);
  assert.ok(isNested(inside, 'recordings') && isNested(inside, 'recordings/a'));
  assert.equal(isNested(inside, 'recordings2') || isNested(inside, 'a/recordings'), false);
});
