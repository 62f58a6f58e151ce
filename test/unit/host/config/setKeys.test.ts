import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setKeys } from '#host/config/setKeys.ts';

test('a key that is set is replaced, one that stands there as a commented default takes its place', () => {
  const text = '# The Main.\n# main: HOST\nname: old # mine\n\n# listen: 0.0.0.0:9443\n';
  assert.equal(
    setKeys(text, { main: '"main:9443"', name: '"new"' }),
    '# The Main.\nmain: "main:9443"\nname: "new"\n\n# listen: 0.0.0.0:9443\n',
  );
});

test('any other key goes to the end, on a line of its own', () => {
  assert.equal(setKeys('', { name: 'a' }), 'name: a\n');
  assert.equal(setKeys('x: 1', { name: 'a' }), 'x: 1\nname: a\n');
  assert.equal(setKeys('x: 1\n', { list: '\n  - a\n  - b' }), 'x: 1\nlist:\n  - a\n  - b\n');
});

test('a key below another one, or within a text, is not it', () => {
  const text = 'mediaServers:\n  name: inner\nhost: main:9443\n';
  assert.equal(setKeys(text, { name: 'outer', main: 'm' }), `${text}name: outer\nmain: m\n`);
});

test('what a value holds is taken as it is, also where it looks like a pattern of replacement', () => {
  assert.equal(setKeys('name: old\n', { name: "$& $1 $' $$" }), "name: $& $1 $' $$\n");
});
