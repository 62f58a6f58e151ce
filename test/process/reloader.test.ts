import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { OUTPUT_LIMIT } from '../../agent/asterisk/reload/limits.ts';
import { Reloader } from '../../agent/asterisk/reload/reloader.ts';
import type { ReloaderOptions } from '../../agent/asterisk/reload/reloader.ts';
import type { ReloadResult } from '../../agent/asterisk/reload/result.ts';
import { eventually } from '../support/harness/host.ts';

type Stand = {
  reloader: Reloader;
  results: ReloadResult[];
  /** The lines that the stand-in for Asterisk was called with. */
  calls: () => Promise<string[]>;
  script: (body: string) => Promise<void>;
  folder: string;
};

/** A reloader over a script that records its calls; its pauses last a tenth of what was asked for. */
async function stand(t: TestContext, body: string, more: Partial<ReloaderOptions> = {}): Promise<Stand> {
  const folder = await mkdtemp(join(tmpdir(), 'reloader-'));
  const program = join(folder, 'asterisk');
  const script = async (body: string): Promise<void> => {
    await writeFile(program, `#!/bin/sh\necho "$2" >> '${folder}/calls'\n${body}\n`);
    await chmod(program, 0o755);
  };
  await script(body);
  const results: ReloadResult[] = [];
  const reloader = new Reloader({
    asterisk: [program],
    clock: {
      now: () => Date.now(),
      after: (ms, callback) => {
        const timer = setTimeout(callback, ms / 10);
        return () => {
          clearTimeout(timer);
        };
      },
    },
    onResult: (result) => results.push(result),
    ...more,
  });
  t.after(async () => {
    await reloader.close();
    await rm(folder, { recursive: true, force: true });
  });
  const calls = async (): Promise<string[]> =>
    (await readFile(join(folder, 'calls'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  return { reloader, results, calls, script, folder };
}

test('a script that only records its calls counts as a good reload', async (t) => {
  const { reloader, calls } = await stand(t, '');
  const result = await reloader.request('moh');
  assert.equal(result.ok, true);
  assert.deepEqual(await calls(), ['moh reload']);
  assert.deepEqual(reloader.pending(), []);
});

test('twenty requests during a reload cause one more, and the kinds do not wait for each other', async (t) => {
  const { reloader, results, calls } = await stand(t, 'sleep 0.2');
  const first = reloader.request('dialplan');
  const rest = Array.from({ length: 20 }, () => reloader.request('dialplan'));
  const music = reloader.request('moh');
  const [one, two] = [await first, await rest[0]];
  await Promise.all([...rest, music]);
  assert.equal((await calls()).filter((line) => line === 'dialplan reload').length, 2);
  assert.equal(results.length, 3);
  assert.ok((two?.at ?? 0) >= one.at + 150);
});

test('an Asterisk that is away gets the pending reload once when it is back', async (t) => {
  const { reloader, results, calls, script } = await stand(
    t,
    'echo "Unable to connect to remote asterisk"; exit 1',
  );
  const result = await reloader.request('dialplan');
  assert.equal(result.ok, false);
  assert.equal(result.away, true);
  assert.deepEqual(reloader.pending(), ['dialplan']);
  await script('echo "Dialplan reloaded."');
  await eventually('nothing is pending', () => reloader.pending().length === 0);
  assert.deepEqual(results.map(({ ok }) => ok).filter(Boolean), [true]);
  const before = (await calls()).length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal((await calls()).length, before);
});

test('a reload that is already in progress is asked for again, and only the real answer is returned', async (t) => {
  const { reloader, results, script } = await stand(t, 'echo "request is already in progress"');
  const asked = reloader.request('dialplan');
  await new Promise((resolve) => setTimeout(resolve, 100));
  await script('echo "Dialplan reloaded."');
  assert.equal((await asked).ok, true);
  assert.equal(results.length, 1);
});

test('an Asterisk that hangs is given up with everything that the command started', async (t) => {
  const script =
    'sleep 60 & echo $! > "$(dirname "$0")/pid.new"; mv "$(dirname "$0")/pid.new" "$(dirname "$0")/pid"; wait';
  let pid = 0;
  // On a busy machine the script may not have run by then.
  for (let timeoutMs = 300; pid === 0 && timeoutMs < 60_000; timeoutMs *= 3) {
    const { reloader, folder } = await stand(t, script, { timeoutMs });
    const result = await reloader.request('dialplan');
    assert.equal(result.away, true);
    assert.match(result.output, new RegExp(`no answer within ${timeoutMs} ms`));
    pid = Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => '0'));
  }
  assert.notEqual(pid, 0);
  await eventually('what it started has ended', () => !isAlive(pid));
});

test('closing ends a running command, answers waiting callers and still reports what is pending', async (t) => {
  const { reloader } = await stand(t, 'exec sleep 60');
  const asked = reloader.request('dialplan');
  await new Promise((resolve) => setTimeout(resolve, 100));
  await reloader.close();
  assert.equal((await asked).away, true);
  assert.deepEqual(reloader.pending(), ['dialplan']);
});

test('endless output is cut and does not block the command', async (t) => {
  const { reloader } = await stand(t, 'head -c 3000000 /dev/zero | tr "\\0" x');
  const result = await reloader.request('dialplan');
  assert.equal(result.ok, true);
  assert.equal(result.output.length, OUTPUT_LIMIT);
});

test('a program that is missing is named', async (t) => {
  const { reloader } = await stand(t, '', { asterisk: ['/nowhere/asterisk'] });
  const result = await reloader.request('dialplan');
  assert.equal(result.away, true);
  assert.match(result.output, /cannot run \/nowhere\/asterisk/);
});

test('a module that gave up at the start is loaded by hand', async (t) => {
  const { reloader, calls } = await stand(
    t,
    'case "$2" in "dialplan reload") echo "No such command \'dialplan reload\'";; esac',
  );
  assert.equal((await reloader.request('dialplan')).ok, true);
  assert.deepEqual(await calls(), [
    'dialplan reload',
    'core waitfullybooted',
    'dialplan reload',
    'module load pbx_config.so',
  ]);
});

test('what the proof finds is the refusal; a proof that fails is reported and counts for nothing', async (t) => {
  const refusing = await stand(t, '', {
    prove: () =>
      Promise.resolve(() => Promise.resolve({ refusal: { file: 'a.conf', line: 3, message: 'no closing' } })),
  });
  const refused = await refusing.reloader.request('dialplan');
  assert.equal(refused.ok, false);
  assert.deepEqual(refused.refusal, { file: 'a.conf', line: 3, message: 'no closing' });
  const failing = await stand(t, '', { prove: () => Promise.reject(new Error('EACCES')) });
  const unproved = await failing.reloader.request('dialplan');
  assert.equal(unproved.ok, true);
  assert.match(unproved.output, /could not be checked whether the change is active: EACCES/);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
