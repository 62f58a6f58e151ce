import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeToken, encodeToken, TokenError } from '#host/identity/joinToken.ts';
import type { JoinToken } from '#host/identity/joinToken.ts';
import { isMdsName } from '#core/mdsName.ts';

const token: JoinToken = {
  mainPin: 'ab'.repeat(32),
  id: 'Zq3_-x',
  secret: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
  name: 'mds1',
  expiresAt: 1_800_000_000_000,
  voipIp: '192.0.2.7',
};

function textOf(payload: unknown): string {
  return `xds1.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
}

const payload = {
  m: token.mainPin,
  i: token.id,
  s: token.secret.toString('base64url'),
  n: token.name,
  e: 1_800_000_000,
};

void test('a token is one word, and is read as it was written', () => {
  const text = encodeToken(token);
  assert.match(text, /^xds1\.[A-Za-z0-9_-]+$/);
  assert.deepEqual(decodeToken(text), token);
  assert.deepEqual(decodeToken(`  ${text}\r\n`), token);
});

void test('every token that can be made is read as it was written', () => {
  const any = fc.record(
    {
      mainPin: fc.stringMatching(/^[0-9a-f]{64}$/),
      id: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
      secret: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
      name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/),
      expiresAt: fc.integer({ min: 1, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
    },
    { noNullPrototype: true },
  );
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(fc.property(any, (made) => assert.deepEqual(decodeToken(encodeToken(made)), made)));
  fc.assert(
    fc.property(any, address, (made, voipIp) =>
      assert.deepEqual(decodeToken(encodeToken({ ...made, voipIp })), { ...made, voipIp }),
    ),
  );
});

void test('the form of the text is fixed, since other versions read it', () => {
  assert.equal(encodeToken(token), textOf({ ...payload, v: '192.0.2.7' }));
});

void test('a text that is no token is a TokenError that says what to do and does not repeat it', () => {
  const valid = encodeToken(token);
  const wrong = [
    '',
    'hello',
    'xds1.',
    'xds1.!!!!',
    'xds2.abcd',
    valid.slice(0, -20),
    `${valid} ${valid}`,
    `xds1.${'A'.repeat(5000)}`,
    textOf(null),
    textOf([]),
    textOf({ ...payload, m: 'AB'.repeat(32) }),
    textOf({ ...payload, s: 'AAAA' }),
    textOf({ ...payload, n: '../etc' }),
    textOf({ ...payload, e: -1 }),
    textOf({ ...payload, e: 1.5 }),
    textOf({ ...payload, v: 'localhost' }),
    textOf({ ...payload, x: 1 }),
  ];
  for (const text of wrong) {
    assert.throws(
      () => decodeToken(text),
      (error) => {
        assert.ok(error instanceof TokenError, text);
        assert.ok(text.length < 10 || !error.message.includes(text.slice(5, 45)));
        return /copy|install/.test(error.message);
      },
    );
  }
});

void test('no text at all makes reading a token fail in another way than a TokenError', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json().map((json) => textOf(JSON.parse(json))),
      ),
      (text) => {
        assert.throws(() => decodeToken(text), TokenError);
      },
    ),
  );
});

void test('an MDS name is 1 to 63 safe characters and begins with a letter or digit', () => {
  for (const yes of ['a', '1', 'mds1', 'MDS-2.site_b', 'a'.repeat(63)]) assert.ok(isMdsName(yes), yes);
  for (const no of ['', '.', '..', '.a', '-a', '_a', 'a/b', 'a b', 'a\n', 'é', 'a'.repeat(64)]) {
    assert.ok(!isMdsName(no), JSON.stringify(no));
  }
});
