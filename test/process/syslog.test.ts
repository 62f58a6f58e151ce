import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { eventually } from '../support/harness/host.ts';

/** A program that logs what it reads from its standard input, a line of JSON an event, and flushes at the end. */
const PROGRAM = `
import { createInterface } from 'node:readline';
import { openLog } from '${new URL('../../shared/host/log/openLog.ts', import.meta.url).href}';
const log = openLog(process.argv[1], 'debug');
for await (const line of createInterface({ input: process.stdin })) {
  const [level, event, details] = JSON.parse(line);
  log.logger[level](event, details);
}
await log.close();
`;
const ARGUMENTS = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', PROGRAM, '--'];

type Event = readonly [level: string, event: string, details?: object];

function environment(socket: string): NodeJS.ProcessEnv {
  return { ...process.env, JOURNAL_STREAM: '', XDS_SYSLOG_SOCKET: socket };
}

function logAll(socket: string, mode: string, events: readonly Event[], extra: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [...ARGUMENTS, mode], {
    input: events.map((event) => `${JSON.stringify(event)}\n`).join(''),
    env: { ...environment(socket), ...extra },
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'xds-syslog-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** A syslogd of our own, writing `PRIORITY TAG MESSAGE` lines to `file`. */
async function rsyslog(t: TestContext, path: string) {
  const files = { socket: join(path, 'log'), file: join(path, 'syslog'), pid: join(path, 'pid') };
  const config = join(path, 'rsyslog.conf');
  writeFileSync(
    config,
    `module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="${files.socket}" RateLimit.Interval="0")
template(name="line" type="string" string="%syslogpriority-text%.%syslogfacility-text% %syslogtag%%msg%\\n")
action(type="omfile" file="${files.file}" template="line")
`,
  );
  const start = async () => {
    const daemon = spawn('rsyslogd', ['-n', '-f', config, '-i', files.pid], { stdio: 'ignore' });
    t.after(() => daemon.kill('SIGKILL'));
    await until(() => existsSync(files.socket));
    return async () => {
      daemon.kill('SIGTERM');
      await once(daemon, 'exit');
    };
  };
  return { ...files, start };
}

/** A program, or rsyslogd, takes long to start on a busy machine. */
function until(done: () => boolean): Promise<void> {
  return eventually(done.toString(), done, 60_000);
}

function grep(file: string): string[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return lines
    .filter((line) => line.includes('xivo-xds-sync'))
    .map((line) => line.replace(/xivo-xds-sync\[\d+\]/, 'TAG'));
}

function skipWithout(t: TestContext, ...programs: string[]): boolean {
  for (const program of programs) {
    try {
      execFileSync('which', [program], { stdio: 'ignore' });
    } catch {
      t.skip(`${program} is not installed`);
      return true;
    }
  }
  return false;
}

void test('"grep xivo-xds-sync" in syslog shows every event with its priority', async (t) => {
  if (skipWithout(t, 'rsyslogd')) return;
  const { socket, file, start } = await rsyslog(t, folder(t));
  await start();
  const result = logAll(socket, 'auto', [
    ['debug', 'file looked at', { path: 'a b.wav' }],
    ['info', 'file delivered', { path: 'a\n<0>forged\udcff' }],
    ['warn', 'mds behind', { mds: 'mds1' }],
    ['error', 'file failed', { output: 'y'.repeat(5000) }],
  ]);
  assert.equal(result.status, 0, result.stderr);
  assert.equal(result.stderr, '');
  await until(() => grep(file).length >= 5);
  const [first, second, third, ...long] = grep(file);
  assert.equal(first, 'debug.daemon TAG: file looked at path="a b.wav"');
  assert.equal(second, String.raw`info.daemon TAG: file delivered path=a\x0a<0>forged\xff`);
  assert.equal(third, 'warning.daemon TAG: mds behind mds=mds1');
  assert.equal(long.length, 2, 'a long line is cut, and every piece carries tag and priority');
  for (const piece of long) assert.match(piece, /^err\.daemon TAG: /);
});

void test('--log json writes JSON to syslog and to stderr', async (t) => {
  if (skipWithout(t, 'rsyslogd')) return;
  const { socket, file, start } = await rsyslog(t, folder(t));
  await start();
  const { stderr } = logAll(socket, 'json', [['info', 'file delivered', { path: 'a' }]]);
  await until(() => grep(file).length > 0);
  assert.deepEqual((JSON.parse(stderr) as { details: object }).details, { path: 'a' });
  assert.equal(grep(file)[0], `info.daemon TAG: ${stderr.trim()}`);
});

void test('--log stderr shows on stderr too what goes to syslog', async (t) => {
  if (skipWithout(t, 'rsyslogd')) return;
  const { socket, file, start } = await rsyslog(t, folder(t));
  await start();
  const { stderr } = logAll(socket, 'stderr', [['warn', 'mds behind', { mds: 'mds1' }]]);
  assert.match(stderr, /^\d\d:\d\d:\d\d\.\d{3} mds behind mds=mds1\n$/);
  await until(() => grep(file).length > 0);
});

void test('without syslog every line goes to stderr, and the reason is given once', (t) => {
  const events: Event[] = [
    ['info', 'one'],
    ['info', 'two'],
  ];
  const { stderr, status } = logAll(join(folder(t), 'missing'), 'auto', events);
  assert.equal(status, 0);
  assert.match(
    stderr,
    /syslog can't be reached \(ENOENT: \S+missing\); log lines go to stderr until it can\n/,
  );
  assert.deepEqual(stderr.match(/one|two|can't/g)?.sort(), ["can't", 'one', 'two']);
});

void test('a syslog that hangs costs no memory, and does not keep the program from ending', async (t) => {
  if (skipWithout(t, 'rsyslogd')) return;
  const { socket, pid, start } = await rsyslog(t, folder(t));
  await start();
  await until(() => existsSync(pid) && readFileSync(pid, 'utf8').trim() !== '');
  process.kill(Number(readFileSync(pid, 'utf8')), 'SIGSTOP');
  const count = 3000;
  const events = Array.from({ length: count }, (_, i): Event => [
    'info',
    'line',
    { i, padding: 'x'.repeat(1000) },
  ]);
  const { stderr, status } = logAll(socket, 'auto', events);
  assert.equal(status, 0);
  assert.match(stderr, /syslog can't be reached \(it does not read\)/);
  const dropped = Number(/log lines dropped because syslog stood still count=(\d+)/.exec(stderr)?.[1]);
  const shown = stderr.match(/line i=\d+/g)?.length ?? 0;
  assert.ok(dropped > 1000, `${dropped} lines dropped`);
  // Some are in the socket's own queue.
  const queued = count - shown - dropped;
  assert.ok(queued >= 0 && queued <= 1024, `${queued} of ${count} are nowhere`);
});

void test('a syslog that is slow gets every line, in order', async (t) => {
  if (skipWithout(t, 'rsyslogd')) return;
  const { socket, file, pid, start } = await rsyslog(t, folder(t));
  await start();
  await until(() => existsSync(pid) && readFileSync(pid, 'utf8').trim() !== '');
  const daemon = Number(readFileSync(pid, 'utf8'));
  process.kill(daemon, 'SIGSTOP');
  const program = spawn(process.execPath, [...ARGUMENTS, 'stderr'], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: environment(socket),
  });
  t.after(() => program.kill('SIGKILL'));
  let stderr = '';
  program.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const names = Array.from({ length: 1500 }, (_, i) => `line ${i}`);
  for (const name of names) program.stdin.write(`${JSON.stringify(['info', name])}\n`);
  await until(() => stderr.includes('line 1499'));
  process.kill(daemon, 'SIGCONT');
  program.stdin.end();
  await once(program, 'exit');
  await until(() => grep(file).length >= names.length);
  assert.deepEqual(
    grep(file).map((line) => line.replace('info.daemon TAG: ', '')),
    names,
  );
  assert.doesNotMatch(stderr, /can't be reached/);
});

void test('a syslog that restarts loses no line', async (t) => {
  if (skipWithout(t, 'rsyslogd')) return;
  const { socket, file, start } = await rsyslog(t, folder(t));
  const stop = await start();
  const program = spawn(process.execPath, [...ARGUMENTS, 'auto'], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: environment(socket),
  });
  t.after(() => program.kill('SIGKILL'));
  let stderr = '';
  program.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const log = (event: string) => program.stdin.write(`${JSON.stringify(['info', event])}\n`);
  log('before');
  await until(() => grep(file).some((line) => line.endsWith('before')));
  await stop();
  log('meanwhile');
  await until(() => stderr.includes('meanwhile'));
  await start();
  log('after');
  program.stdin.end();
  await once(program, 'exit');
  await until(() => grep(file).some((line) => line.endsWith('after')));
  assert.equal(stderr.match(/can't be reached/g)?.length, 1);
});

void test('under systemd lines go to stdout with sd-daemon priorities', (t) => {
  const file = join(folder(t), 'stdout');
  writeFileSync(file, '');
  // The shell opens the file and names it as systemd names the journal's stream.
  const script = `exec >"$0"; export JOURNAL_STREAM="$(stat -L -c %d:%i "$0")"; exec "$@"`;
  const { stderr } = spawnSync('/bin/sh', ['-c', script, file, process.execPath, ...ARGUMENTS, 'auto'], {
    input: '["warn","mds behind",{"mds":"mds1"}]\n["error","bad"]\n',
    env: environment('/nonexistent'),
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  assert.equal(readFileSync(file, 'utf8'), '<4>mds behind mds=mds1\n<3>bad\n');
});
