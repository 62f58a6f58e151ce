import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandEnd, runProcess } from '../../../../../agent/asterisk/reload/runProcess.ts';

const never = (): AbortSignal => new AbortController().signal;
const shell = (
  script: string,
  options: Partial<Parameters<typeof runProcess>[1]> = {},
  ...args: readonly string[]
): Promise<CommandEnd> =>
  runProcess(['sh', '-c', script, 'sh', ...args], { timeoutMs: 10_000, signal: never(), ...options });

void test('a command ends with its code and what it printed on either stream', async () => {
  assert.deepEqual(await shell('echo out; echo err >&2; exit 3'), {
    how: 'exit',
    code: 3,
    output: 'out\nerr\n',
  });
  assert.deepEqual(await shell('kill -9 $$'), { how: 'exit', code: null, output: '' });
});

void test('no shell reads its words, and it gets no input', async () => {
  const end = await runProcess(['printf', '%s', '$(id); `id`'], { timeoutMs: 10_000, signal: never() });
  assert.equal(end.output, '$(id); `id`');
  assert.equal((await shell('cat')).output, '');
});

void test('of much output the first bytes are kept, and the writer is not blocked', async () => {
  const end = await shell('head -c 1000000 /dev/zero | tr "\\0" x', { keepBytes: 1_000 });
  assert.deepEqual(end, { how: 'exit', code: 0, output: 'x'.repeat(1_000) });
});

void test('a command that can not be started is a result, not an error', async () => {
  const end = await runProcess(['/no/such/program'], { timeoutMs: 10_000, signal: never() });
  assert.equal(end.how, 'unstartable');
  assert.match(end.how === 'unstartable' ? end.message : '', /^cannot run \/no\/such\/program: .*ENOENT/);
  assert.deepEqual(await runProcess([], { timeoutMs: 1, signal: never() }), {
    how: 'unstartable',
    message: 'the command is empty',
    output: '',
  });
});

void test('a command that takes too long is ended', async () => {
  const end = await shell('exec sleep 60', { timeoutMs: 50 });
  assert.deepEqual(end, { how: 'timeout', afterMs: 50, output: '' });
});

void test('one that is ended keeps what it printed until then', async (t) => {
  const folder = folderOf(t);
  const stop = new AbortController();
  const running = shell('echo started; : >"$1/ready"; exec sleep 60', { signal: stop.signal }, folder);
  await until(() => existsSync(path.join(folder, 'ready')));
  stop.abort();
  assert.deepEqual(await running, { how: 'stopped', output: 'started\n' });
  assert.equal(
    (await shell('exec sleep 60', { signal: stop.signal })).how,
    'stopped',
    'also before it has started',
  );
});

void test('one that ignores SIGTERM is killed with all that it started', async (t) => {
  const folder = folderOf(t);
  const stop = new AbortController();
  const script = 'trap "" TERM; sleep 60 & echo $! >"$1/new"; mv "$1/new" "$1/child"; wait; sleep 60';
  const running = shell(script, { signal: stop.signal }, folder);
  await until(() => existsSync(path.join(folder, 'child')));
  stop.abort();
  assert.equal((await running).how, 'stopped');
  const child = Number(readFileSync(path.join(folder, 'child'), 'utf8'));
  await until(() => !isAlive(child));
});

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    assert.ok(tries < 1_000, 'it takes too long');
    await sleep(10);
  }
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-process-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Something else than the rest of an ended process. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
