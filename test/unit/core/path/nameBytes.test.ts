import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeName, encodeName } from '#core/path/nameBytes.ts';

void test('every name is kept byte for byte', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    // Beginnings and ends of characters, which may meet.
    fc
      .array(
        fc.constantFrom(
          0x61,
          0x80,
          0xbf,
          0xc3,
          0xa9,
          0xe2,
          0x82,
          0xac,
          0xed,
          0xb2,
          0xf0,
          0x9f,
          0x8e,
          0x89,
          0xff,
        ),
        {
          maxLength: 8,
        },
      )
      .map((list) => Uint8Array.from(list)),
  );
  fc.assert(
    fc.property(bytes, (name) => {
      assert.deepEqual(encodeName(decodeName(name)), Buffer.from(name));
    }),
    { numRuns: 2_000 },
  );
});

void test('two names never become one text', () => {
  const seen = new Map<string, string>();
  for (let one = 0; one < 256; one++)
    for (let other = 0; other < 256; other++) {
      const name = Buffer.of(one, other);
      const text = decodeName(name);
      assert.equal(seen.get(text), undefined, name.toString('hex'));
      seen.set(text, name.toString('hex'));
    }
});

void test('what is UTF-8 reads as it is, and any other byte is a lone surrogate', () => {
  for (const name of ['a.wav', 'é', '漢字', '\u{1f389}.wav', '\ufeffa', '\ufffd'])
    assert.equal(decodeName(Buffer.from(name)), name);
  assert.equal(decodeName(Buffer.from('caf\xe9.wav', 'latin1')), 'caf\udce9.wav');
  // The beginning of a character whose rest is missing, and one behind it that is whole.
  assert.equal(decodeName(Buffer.of(0xe2, 0x82, 0xc3, 0xa9)), '\udce2\udc82é');
});

void test('half of a real pair is no byte', () => {
  const pair = '\u{103e9}';
  assert.equal(pair.charCodeAt(1), 0xdfe9);
  const low = '\u{100dc}'.replace(/./u, '\ud800\udce9');
  assert.deepEqual(encodeName(`${low}\udce9`), Buffer.concat([Buffer.from(low), Buffer.of(0xe9)]));
});
