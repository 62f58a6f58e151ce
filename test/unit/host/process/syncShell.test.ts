import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { syncInShell } from '#host/process/syncShell.ts';

const NODE = [process.execPath, '--input-type=module', '--disable-warning=ExperimentalWarning', '-e'];

/** The shells that this process runs now. */
function shells(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ');
  return children.filter((pid) => pid !== '' && commandOf(pid).includes('sync -f')).map(Number);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function openRoot(t: TestContext): number {
  const fd = openSync('/', 'r');
  t.after(() => closeSync(fd));
  return fd;
}

async function gone(pid: number): Promise<void> {
  while (shells().includes(pid)) await sleep(10);
}

/** The next that is needed is another one. */
async function endShell(fd: number): Promise<void> {
  await syncInShell(fd);
  for (const shell of shells()) process.kill(shell, 'SIGKILL');
  await assert.rejects(syncInShell(fd));
}

void test('one shell serves all, side by side, and what fails is an error of its own', async (t) => {
  const fd = openRoot(t);
  const results = await Promise.allSettled([fd, 99_999, fd, fd].map(async (each) => syncInShell(each)));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  );
  const [, failed] = results;
  assert.match(failed?.status === 'rejected' ? String(failed.reason) : '', /^Error: sync: .*99999/);
  assert.equal(shells().length, 1);
});

void test('a shell that is killed fails what is asked of it, and the next has another', async (t) => {
  const fd = openRoot(t);
  await syncInShell(fd);
  const [shell = 0] = shells();
  process.kill(shell, 'SIGSTOP');
  const asked = [syncInShell(fd), syncInShell(fd)];
  const failed = Promise.all(
    asked.map(async (each) => assert.rejects(each, /^Error: the shell that starts it ended with SIGKILL$/)),
  );
  process.kill(shell, 'SIGKILL');
  await failed;
  await syncInShell(fd);
  assert.notEqual(shells()[0], shell);
});

void test('what ends the daemon does not end it before the files are durable', async (t) => {
  const fd = openRoot(t);
  await syncInShell(fd);
  const [shell = 0] = shells();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(shell, signal);
  await syncInShell(fd);
  assert.deepEqual(shells(), [shell]);
});

void test('it ends when it was not needed for three seconds, and another is started when it is needed again', async (t) => {
  const fd = openRoot(t);
  await syncInShell(fd);
  const [shell = 0] = shells();
  await gone(shell);
  await syncInShell(fd);
  assert.equal(shells().length, 1);
});

void test('a disk that hangs holds up no other', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sync-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const hung = openSync(folder, 'r');
  t.after(() => closeSync(hung));
  const fd = openRoot(t);
  await endShell(fd);
  const script = `#!/bin/sh\ncase $2 in */fd/${hung}) read -r line <${folder}/fifo ;; esac\n`;
  writeFileSync(path.join(folder, 'sync'), script, { mode: 0o755 });
  execFileSync('mkfifo', [path.join(folder, 'fifo')]);
  const { PATH: before = '' } = process.env;
  process.env['PATH'] = `${folder}:${before}`;
  t.after(() => (process.env['PATH'] = before));
  let settled = false;
  await syncInShell(fd);
  const held = syncInShell(hung).finally(() => (settled = true));
  await syncInShell(fd);
  // Longer than an idle shell stays: it is not idle.
  await sleep(3_200);
  assert.equal(settled, false);
  appendFileSync(path.join(folder, 'fifo'), '\n');
  await held;
  await endShell(fd);
});

/** Runs a script that has `syncInShell`, in a process of its own, until it and its shell have ended. */
function runAlone(script: string, limit = 'unlimited'): void {
  const module = new URL('../../../../shared/host/process/syncShell.ts', import.meta.url).href;
  const whole = `import { openSync } from 'node:fs';
    import { syncInShell } from '${module}';
    const root = openSync('/', 'r');
    ${script}`;
  execFileSync('sh', [
    '-c',
    `[ ${limit} = unlimited ] || ulimit -n ${limit}; exec "$@"`,
    'sh',
    ...NODE,
    whole,
  ]);
}

void test('too many open files are an error, not an end', () => {
  const script = `import assert from 'node:assert/strict';
    import { closeSync } from 'node:fs';
    const many = [];
    try {
      for (;;) many.push(openSync('/', 'r'));
    } catch {}
    await assert.rejects(syncInShell(root), { code: 'EMFILE' });
    for (const fd of many) closeSync(fd);
    await syncInShell(root);`;
  runAlone(script, '64');
});

void test('a process with nothing else to do ends, and its shell with it', () => {
  runAlone('await syncInShell(root); setTimeout(() => process.exit(9), 2_500).unref();');
});
