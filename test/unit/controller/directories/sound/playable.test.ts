import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  HEAD_BYTES,
  isChecked,
  whyUnplayable,
} from '../../../../../controller/directories/sound/playable.ts';
import { block, SOUNDS, wavFile } from '../../../../support/unit/sounds.ts';

for (const { what, name, content, plays } of SOUNDS) {
  void test(`${what}: ${plays === 'yes' ? 'nothing is said' : 'there is a warning'}`, () => {
    const why = whyUnplayable(name, content.subarray(0, HEAD_BYTES), content.length);
    if (plays === 'yes') assert.equal(why, undefined);
    else assert.match(why ?? '', plays === 'no' ? /Asterisk can't play it/ : /Asterisk plays noise/);
  });
}

void test('a warning says what it is and what it has to be', () => {
  const content = wavFile({ rate: 44_100, channels: 2 });
  assert.equal(
    whyUnplayable('default/a.wav', content, content.length),
    "Asterisk can't play it: it is PCM, 44100 Hz, stereo, 16 bits; this suffix has to be PCM, 8000 Hz, mono, 16 bits",
  );
});

void test('nothing is said of what lies beyond the beginning that was read', () => {
  const content = wavFile({ before: [block('JUNK', Buffer.alloc(HEAD_BYTES))], channels: 2 });
  assert.equal(whyUnplayable('a.wav', content.subarray(0, HEAD_BYTES), content.length), undefined);
});

void test('any beginning at all gives an answer', () => {
  const content = wavFile({ between: [block('LIST', Buffer.alloc(7))] });
  for (let length = 0; length <= content.length; length += 1 + (length >> 4))
    for (const name of ['a.wav', 'a.WAV', 'a.au', 'a.gsm', 'a.ogg'])
      assert.doesNotThrow(() => whyUnplayable(name, content.subarray(0, length), length));
});

void test('files of other suffixes are not looked at', () => {
  assert.deepEqual(['a.wav', 'x/b.WAV', 'c.txt', 'd', 'e.Wav'].map(isChecked), [
    true,
    true,
    false,
    false,
    false,
  ]);
});
