import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enrolmentFingerprint } from '#host/identity/enrolmentFingerprint.ts';

const mainPin = 'aa'.repeat(32);
const agentPin = 'bb'.repeat(32);

void test('both sides compute the same fingerprint from the two pins, now and in later versions', () => {
  assert.equal(
    enrolmentFingerprint({ mainPin, agentPin }),
    'ef5e:847a:ca3e:31b8:8e9c:ba91:3301:0250:1fb3:8058',
  );
});

void test('the fingerprint is ten groups of four hex digits', () => {
  assert.match(enrolmentFingerprint({ mainPin, agentPin }), /^([0-9a-f]{4}:){9}[0-9a-f]{4}$/);
});

void test('another Main, another agent, or the two exchanged, gives another fingerprint', () => {
  const other = 'cc'.repeat(32);
  const all = [
    { mainPin, agentPin },
    { mainPin: other, agentPin },
    { mainPin, agentPin: other },
    { mainPin: agentPin, agentPin: mainPin },
  ].map(enrolmentFingerprint);
  assert.equal(new Set(all).size, all.length);
});
