import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Syslog } from '#host/log/syslog.ts';
import { DatagramReceiver } from '../../../support/unit/datagramReceiver.ts';

const INFO = 6;
const WARNING = 4;

/** A program that logs, and a syslogd that can be there or not. */
class Case {
  readonly socket: string;
  readonly log: Syslog;
  readonly fallback: string[] = [];
  readonly unreachable: string[] = [];
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
    const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-syslog-'));
    t.after(() => rmSync(folder, { recursive: true }));
    this.socket = path.join(folder, 'log');
    this.log = new Syslog({
      socket: this.socket,
      fallback: (severity, text) => this.fallback.push(`${severity} ${text}`),
      onUnreachable: (message) => this.unreachable.push(message),
    });
  }

  startSyslogd(): DatagramReceiver {
    const receiver = new DatagramReceiver(this.socket);
    this.#t.after(() => receiver[Symbol.dispose]());
    return receiver;
  }
}

/** What is behind the header of a line. */
function textOf(line: string): string {
  return line.replace(/^<\d+>.*?xivo-xds-sync\[\d+\]: /, '');
}

/** Reads as a syslogd that is always there does, until a condition holds. @returns the lines */
async function readUntil(
  syslogd: DatagramReceiver,
  holds: (lines: readonly string[]) => boolean,
): Promise<string[]> {
  const lines: string[] = [];
  const deadline = Date.now() + 20_000;
  for (;;) {
    lines.push(...syslogd.take().map(textOf));
    if (holds(lines)) return lines;
    assert.ok(Date.now() < deadline, `${lines.length} lines`);
    await sleep(1);
  }
}

void describe('A line in syslog', () => {
  void it('has its priority, the local time, the tag and the number of the process', async (t) => {
    const given = new Case(t);
    const syslogd = given.startSyslogd();
    given.log.write(INFO, 'file delivered path=a');
    given.log.write(WARNING, 'mds behind');
    const [info, warning] = syslogd.take();
    // LOG_DAEMON is facility 3.
    assert.match(
      info ?? '',
      new RegExp(
        `^<30>[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d xivo-xds-sync\\[${process.pid}\\]: file delivered path=a$`,
      ),
    );
    assert.match(warning ?? '', /^<28>.*: mds behind$/);
    await given.log.close();
    assert.deepEqual([given.fallback, given.unreachable], [[], []]);
    given.log.write(INFO, 'after the end');
    assert.deepEqual([given.fallback, syslogd.take()], [['6 after the end'], []]);
  });

  void it('that is too long is cut into several, between characters', async (t) => {
    const given = new Case(t);
    const syslogd = given.startSyslogd();
    const text = `${'x'.repeat(4_095)}${'漢'.repeat(2_000)}`;
    given.log.write(INFO, text);
    given.log.write(INFO, 'y'.repeat(4_096));
    const lines = syslogd.take().map(textOf);
    assert.equal(lines.pop(), 'y'.repeat(4_096));
    assert.equal(lines.join(''), text);
    assert.ok(lines.every((line) => Buffer.byteLength(line) <= 4_096 && !line.includes('\ufffd')));
    assert.equal(lines.length, 3);
    await given.log.close();
  });
});

void describe('A syslog that is not there', () => {
  void it('loses no line: each goes elsewhere, with one message, until it is back', async (t) => {
    const given = new Case(t);
    given.log.write(INFO, 'a');
    given.log.write(WARNING, 'b');
    assert.deepEqual(given.fallback, ['6 a', '4 b']);
    assert.deepEqual(given.unreachable, [`syslog can't be reached (ENOENT: ${given.socket})`]);
    const syslogd = given.startSyslogd();
    given.log.write(INFO, 'c');
    assert.deepEqual(syslogd.take().map(textOf), ['c']);
    syslogd[Symbol.dispose]();
    given.log.write(INFO, 'd');
    assert.deepEqual(given.fallback, ['6 a', '4 b', '6 d']);
    assert.match(given.unreachable[1] ?? '', /ECONNREFUSED/);
    await given.log.close();
    given.log.write(INFO, 'after the end');
    assert.equal(given.fallback.at(-1), '6 after the end');
  });
});

void describe('A syslog that does not read', () => {
  void it('gets every line in order once it reads again', async (t) => {
    const given = new Case(t);
    const syslogd = given.startSyslogd();
    const lines = Array.from({ length: 1_000 }, (_, number) => `line ${number}`);
    for (const line of lines) given.log.write(INFO, line);
    // There is room for a few by now, which is for those that wait.
    const first = syslogd.take(3).map(textOf);
    given.log.write(INFO, 'the last');
    const read = await readUntil(syslogd, ({ length }) => length >= 998);
    assert.deepEqual([...first, ...read], [...lines, 'the last']);
    await given.log.close();
    assert.deepEqual(given.fallback, []);
  });

  void it('is waited for at the end as long as it goes on reading', async (t) => {
    const given = new Case(t);
    const syslogd = given.startSyslogd();
    for (let line = 0; line < 60; line++) given.log.write(INFO, `line ${line}`);
    let isClosed = false;
    const closing = given.log.close().then(() => (isClosed = true));
    const read = await readUntil(syslogd, () => isClosed);
    await closing;
    assert.equal(read.length + syslogd.take().length, 60);
    assert.deepEqual(given.fallback, []);
  });

  void it('costs a bounded amount of memory, and what was dropped is counted', async (t) => {
    const given = new Case(t);
    const syslogd = given.startSyslogd();
    const line = 'x'.repeat(1_000);
    for (let number = 0; number < 3_000; number++) given.log.write(INFO, line);
    const read = await readUntil(syslogd, (lines) => lines.at(-1)?.startsWith('log lines dropped') === true);
    const kept = read.filter((each) => each === line).length;
    assert.ok(kept > 1_000 && kept < 1_600, `${kept} lines are kept`);
    assert.equal(
      read.at(-1),
      `log lines dropped because syslog stood still count=${3_000 - kept}`,
      'behind the lines that came before',
    );
    // Then there is as much room as before.
    for (let number = 0; number < 1_000; number++) given.log.write(INFO, line);
    assert.equal((await readUntil(syslogd, ({ length }) => length >= 1_000)).length, 1_000);
    await given.log.close();
  });
});
