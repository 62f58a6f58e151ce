import assert from 'node:assert/strict';
import test from 'node:test';
import { formatHostPort, parseHostPort } from '#host/config/hostPort.ts';

void test('an address is a name, an IPv4 address or an IPv6 address in brackets, with or without port', () => {
  assert.deepEqual(parseHostPort('main.example'), { host: 'main.example', port: 9443 });
  assert.deepEqual(parseHostPort('10.0.0.1:1'), { host: '10.0.0.1', port: 1 });
  assert.deepEqual(parseHostPort('[::]:9443'), { host: '::', port: 9443 });
  assert.deepEqual(parseHostPort('[fd00::1]', 80), { host: 'fd00::1', port: 80 });
  assert.equal(formatHostPort(parseHostPort('[fd00::1]')), '[fd00::1]:9443');
  assert.equal(formatHostPort(parseHostPort('xivo')), 'xivo:9443');
});

void test('anything else is refused, and a bare IPv6 address gets a hint about brackets', () => {
  for (const text of [
    '',
    ':9443',
    '1.2.3',
    '999.1.1.1',
    '[10.0.0.1]:1',
    'a b',
    'a:b',
    'a:1:2',
    'http://a',
    '[::1',
  ]) {
    assert.throws(() => parseHostPort(text), { name: 'RangeError', message: /not HOST or HOST:PORT/ }, text);
  }
  assert.throws(() => parseHostPort('fd00::1'), /in brackets: "\[fd00::1\]"/);
  for (const text of ['a:0', 'a:65536']) assert.throws(() => parseHostPort(text), /from 1 to 65535/);
});
