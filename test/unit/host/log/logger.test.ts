import assert from 'node:assert/strict';
import test from 'node:test';
import { humanLine, jsonLine } from '#host/log/line.ts';
import { goesToJournal } from '#host/log/systemdJournal.ts';
import { createLogger, type Details } from '#host/log/logger.ts';
import { severityOf, type LogRecord } from '#host/log/record.ts';

function logged(event: string, details?: Details): LogRecord {
  const records: LogRecord[] = [];
  createLogger('info', (record) => records.push(record)).info(event, details);
  const [record] = records;
  assert.ok(record && records.length === 1);
  return record;
}

const line = (event: string, details?: Details) => humanLine(logged(event, details));

void test('an event is one line of words and details', () => {
  assert.equal(line('serve started'), 'serve started');
  assert.equal(
    line('file delivered', {
      mds: 'mds1',
      path: 'a b.wav',
      bytes: 12,
      ok: true,
      none: null,
      gone: undefined,
    }),
    'file delivered mds=mds1 path="a b.wav" bytes=12 ok=true none=null',
  );
  assert.equal(
    line('x', { empty: '', quote: 'a"b', equal: 'a=b', list: ['a', 1], deep: { a: { b: 1 } }, big: 5n }),
    String.raw`x empty="" quote="a\"b" equal="a=b" list=a,1 deep.a.b=1 big=5`,
  );
});

void test('a file name forges no line, no detail and no terminal command', () => {
  assert.equal(
    line('x', { path: 'a\nNov 24 root: b=c\u001b[2J\\x0a\udcff', 'k=\n': 1 }),
    String.raw`x path="a\x0aNov 24 root: b=c\x1b[2J\x5cx0a\xff" k_\x0a=1`,
  );
  const json = jsonLine(logged('x', { path: 'a\n\u009b\u202e\u{e0001}\udcff', time: 'mine', level: 'mine' }));
  assert.match(json, /^[\x20-\x7e]*$/);
  const read = JSON.parse(json) as LogRecord;
  assert.deepEqual(read.details, { path: 'a\n\u009b\u202e\u{e0001}\udcff', time: 'mine', level: 'mine' });
  assert.equal(read.level, 'info');
  assert.ok(Date.parse(read.time) > 0);
});

void test('an error is reported with its causes, or its code when it has no words', () => {
  const cause = Object.assign(new Error(''), { code: 'ECONNREFUSED' });
  assert.equal(line('x', { error: new Error('no answer', { cause }) }), 'x error="no answer: ECONNREFUSED"');
});

void test('the endless output of a program is cut', () => {
  assert.match(line('x', { output: 'y'.repeat(5000) }), /^x output="y{4096}… \(904 more\)"$/);
});

void test("a child's details stand before an event's own, which win", () => {
  const records: string[] = [];
  const logger = createLogger('debug', (record) => records.push(`${record.level} ${humanLine(record)}`));
  const child = logger.child({ mds: 'a' }).child({ directory: 'moh' });
  child.debug('one');
  child.warn('two', { mds: 'b' });
  logger.error('three');
  assert.deepEqual(records, ['debug one mds=a directory=moh', 'warn two mds=b directory=moh', 'error three']);
});

void test('events below the level are left out', () => {
  const records: LogRecord[] = [];
  const logger = createLogger('warn', (record) => records.push(record));
  logger.debug('a');
  logger.info('b');
  logger.warn('c');
  assert.deepEqual(
    records.map(({ event }) => event),
    ['c'],
  );
});

void test('levels have the severities of syslog', () => {
  assert.deepEqual((['debug', 'info', 'warn', 'error'] as const).map(severityOf), [7, 6, 4, 3]);
});

void test('stdout is the journal only where systemd says so of this very stream', () => {
  const stdout = { dev: 8, ino: 9, isFIFO: () => false };
  const fifo = { ...stdout, isFIFO: () => true };
  const service = { INVOCATION_ID: 'x' };
  assert.equal(goesToJournal({ environment: { JOURNAL_STREAM: '8:9' }, parent: 5, stdout }), true);
  assert.equal(goesToJournal({ environment: { JOURNAL_STREAM: '8:1' }, parent: 5, stdout }), false);
  assert.equal(goesToJournal({ environment: service, parent: 1, stdout: fifo }), true);
  assert.equal(goesToJournal({ environment: service, parent: 5, stdout: fifo }), false);
  assert.equal(goesToJournal({ environment: service, parent: 1, stdout }), false);
  assert.equal(goesToJournal({ environment: {}, parent: 1, stdout: undefined }), false);
});
