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

function openRoot(t: TestContext, root = '/'): number {
  const fd = openSync(root, 'r');
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

/** Puts a `sync` of the test's own in front of the host's, from which a new shell is started. */
async function useSync(t: TestContext, fd: number, folder: string, script: string): Promise<void> {
  await endShell(fd);
  writeFileSync(path.join(folder, 'sync'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const { PATH: before = '' } = process.env;
  process.env['PATH'] = `${folder}:${before}`;
  t.after(() => (process.env['PATH'] = before));
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'sync-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

void test('one shell serves all file systems, side by side, and what fails is an error of its own', async (t) => {
  const fds = ['/', '/proc', '/sys'].map((root) => openRoot(t, root));
  const [fd = 0, failing] = fds;
  await useSync(t, fd, temporaryFolder(t), `case $2 in */fd/${failing}) echo 'sync: no' >&2; exit 1 ;; esac`);
  const results = await Promise.allSettled(fds.map(async (each) => syncInShell(each)));
  assert.deepEqual(
    results.map((result) => (result.status === 'rejected' ? String(result.reason) : 'fulfilled')),
    ['fulfilled', 'Error: sync: no', 'fulfilled'],
  );
  assert.equal(shells().length, 1);
  await endShell(fd);
});

void test('of one file system one runs at a time, and all who ask meanwhile share the one after it', async (t) => {
  const fd = openRoot(t);
  const folder = temporaryFolder(t);
  await useSync(t, fd, folder, `echo started >>${folder}/started`);
  const runs = (): number => readFileSync(path.join(folder, 'started'), 'utf8').split('\n').length - 1;
  await syncInShell(fd);
  assert.equal(runs(), 1);
  await Promise.all([1, 2, 3, 4].map(async () => syncInShell(fd)));
  // The one that ran when the others asked may have been too early for them.
  assert.equal(runs(), 3);
  await syncInShell(fd);
  assert.equal(runs(), 4);
  await endShell(fd);
});

void test('those who share one share its error, and the one after it is another', async (t) => {
  const fd = openRoot(t);
  const folder = temporaryFolder(t);
  const script = `echo >>${folder}/started; [ $(wc -l <${folder}/started) -gt 2 ] || { echo no >&2; exit 1; }`;
  await useSync(t, fd, folder, script);
  const statuses = async (): Promise<string[]> => {
    const asked = await Promise.allSettled([1, 2, 3].map(async () => syncInShell(fd)));
    return asked.map(({ status }) => status);
  };
  assert.deepEqual(await statuses(), ['rejected', 'rejected', 'rejected']);
  assert.deepEqual(await statuses(), ['fulfilled', 'fulfilled', 'fulfilled']);
  await endShell(fd);
});

void test('one that fails does not fail the one after it', async (t) => {
  const fd = openRoot(t);
  const folder = temporaryFolder(t);
  const script = `echo >>${folder}/started; [ $(wc -l <${folder}/started) -gt 1 ] || { echo no >&2; exit 1; }`;
  await useSync(t, fd, folder, script);
  const asked = await Promise.allSettled([1, 2].map(async () => syncInShell(fd)));
  assert.deepEqual(
    asked.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  );
  await endShell(fd);
});

void test('a shell that is killed fails what is asked of it, and the next has another', async (t) => {
  const fd = openRoot(t);
  await syncInShell(fd);
  const [shell = 0] = shells();
  process.kill(shell, 'SIGSTOP');
  const asked = [syncInShell(fd), syncInShell(openRoot(t, '/proc'))];
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
  const folder = temporaryFolder(t);
  const hung = openRoot(t, '/proc');
  const fd = openRoot(t);
  await useSync(t, fd, folder, `case $2 in */fd/${hung}) read -r line <${folder}/fifo ;; esac`);
  execFileSync('mkfifo', [path.join(folder, 'fifo')]);
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
