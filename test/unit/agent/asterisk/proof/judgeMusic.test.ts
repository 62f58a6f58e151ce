import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differences, missingClass } from '../../../../../agent/asterisk/proof/judgeMusic.ts';
import { readMohClasses, readMohShow } from '../../../../../agent/asterisk/proof/mohShow.ts';
import { musicClasses } from '../../../../../agent/asterisk/proof/musicClasses.ts';

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

void test('what Asterisk does not know and what is gone are reported', () => {
  const disk = new Map([['/moh/default', ['first.wav', 'new.wav']]]);
  assert.deepEqual(differences(readMohShow(SHOW), disk), [
    '/moh/default/new is not known',
    '/moh/default/a b.2 is gone',
  ]);
});

const CONFIGURATION = Buffer.from(`[general]
directory = /moh/general
[base](!) ; a template
mode=files
directory=/moh/base
[default]
mode = files ; as XiVO writes it
directory = /moh/default/
[Night]
Mode => files
directory => /moh/night
[stream]
mode = custom
directory = /moh/stream
[relative]
mode = files
directory = moh
`);

void test('the classes that play a folder are read from musiconhold.conf', () => {
  assert.deepEqual(musicClasses(CONFIGURATION), [
    { name: 'default', directory: '/moh/default' },
    { name: 'Night', directory: '/moh/night' },
  ]);
});

void test('a class that has music and that Asterisk does not know is named, with what to do', () => {
  const classes = musicClasses(CONFIGURATION);
  const show = 'Class: default\n\tMode: files\n\tDirectory: /moh/default\n';
  const missing = (shown: string, night: string[]): string | undefined =>
    missingClass(
      classes,
      readMohClasses(shown),
      new Map([['/moh/night', night]]),
      '/etc/asterisk/musiconhold.conf',
    )?.message;
  assert.match(
    missing(show, ['owl.wav']) ?? '',
    /class \[Night\].* \/moh\/night .*: touch \/etc\/asterisk\/musiconhold\.conf && asterisk -rx 'moh reload'$/,
  );
  assert.equal(missing(show, ['.hidden.wav', 'README']), undefined);
  assert.equal(missing(`${show}Class: night\n`, ['owl.wav']), undefined);
});
