import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionTrouble } from '#wire/connectionTrouble.ts';

const CASES: readonly (readonly [what: string, error: unknown, words: string])[] = [
  [
    'a bit that was changed, as the one who receives it sees it',
    new Error(
      '40432D:error:0A000119:SSL routines:tls_get_more_records:decryption failed or bad record mac:../openssl/tls_common.c:874:\n',
    ),
    'data was changed on its way (bad record MAC)',
  ],
  [
    'the same, as the other side says it',
    Object.assign(new Error('alert'), { code: 'ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC' }),
    'data was changed on its way (bad record MAC)',
  ],
  [
    'a peer that does not speak TLS',
    Object.assign(new Error('x'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }),
    'TLS: wrong version number',
  ],
  [
    'an end before TLS',
    new Error('Client network socket disconnected before secure TLS connection was established'),
    'the connection ended before TLS was established',
  ],
  ['any other error', new Error('connect ECONNREFUSED 127.0.0.1:9'), 'connect ECONNREFUSED 127.0.0.1:9'],
  ['what is no error', 'gone', 'gone'],
];

for (const [what, error, words] of CASES) {
  void test(`${what} is described in plain words`, () => assert.equal(connectionTrouble(error), words));
}
