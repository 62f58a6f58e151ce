import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { formatFingerprint, isPin, pinOfCertificate, samePin } from '#host/identity/pin.ts';

void test('a pin is the SHA-256 of the public key, whichever form the certificate has', async () => {
  const { certificatePem, pin } = await createIdentity({ commonName: 'xivo' });
  const parsed = new X509Certificate(certificatePem);
  const spki = parsed.publicKey.export({ type: 'spki', format: 'der' });
  assert.equal(pin, createHash('sha256').update(spki).digest('hex'));
  assert.equal(pinOfCertificate(parsed), pin);
  assert.equal(pinOfCertificate(parsed.raw), pin);
  assert.equal(pinOfCertificate(certificatePem), pin);
  assert.ok(isPin(pin));
});

void test('pins are the same only if every digit is', () => {
  const pin = 'ab'.repeat(32);
  assert.ok(samePin(pin, 'ab'.repeat(32)));
  assert.ok(!samePin(pin, `${'ab'.repeat(31)}ac`));
  assert.ok(!samePin(pin, ''));
  assert.ok(!samePin(pin, `${pin}ab`));
});

void test('only 64 lower-case hex digits are a pin', () => {
  assert.ok(isPin('0'.repeat(64)));
  for (const no of ['', '0'.repeat(63), '0'.repeat(65), 'A'.repeat(64), `${'0'.repeat(64)}\n`]) {
    assert.ok(!isPin(no));
  }
});

void test('a fingerprint shows all of the pin in groups of four', () => {
  const pin = '0123456789abcdef'.repeat(4);
  assert.equal(formatFingerprint(pin).split(':').length, 16);
  assert.ok(formatFingerprint(pin).startsWith('0123:4567:89ab:cdef:0123:'));
  assert.equal(formatFingerprint(pin).replaceAll(':', ''), pin);
});
