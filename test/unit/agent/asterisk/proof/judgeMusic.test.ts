import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differences } from '../../../../../agent/asterisk/proof/judgeMusic.ts';
import { readMohShow } from '../../../../../agent/asterisk/proof/mohShow.ts';

const SHOW = `Class: default
\tFile: /moh/default/first
\tFile: /moh/default/a b.2
Class: other
\tFile: /moh/other/x
`;

void test('moh show files is read folder by folder', () => {
  const music = readMohShow(SHOW);
  assert.deepEqual([...music.keys()], ['/moh/default', '/moh/other']);
  assert.deepEqual([...(music.get('/moh/default') ?? [])], ['first', 'a b.2']);
  assert.equal(readMohShow('No such command').size, 0);
});

void test('a track in several formats is one, and what Asterisk passes over is not missed', () => {
  const files = ['first.wav', 'first.gsm', 'a b.2.wav', '.hidden.wav', 'README', 'a.b'];
  assert.deepEqual(differences(readMohShow(SHOW), new Map([['/moh/default', files]])), []);
});

void test('what Asterisk does not know and what is gone are told', () => {
  const disk = new Map([['/moh/default', ['first.wav', 'new.wav']]]);
  assert.deepEqual(differences(readMohShow(SHOW), disk), [
    '/moh/default/new is not known',
    '/moh/default/a b.2 is gone',
  ]);
});
