import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../support/harness/host.ts';

const DEMO = path.resolve(import.meta.dirname, '../../demo/demo.ts');
const LIMIT = 120_000;

test('npm run demo sets up a Main and two MDS, shows a change each way, and ends', async (t) => {
  const folder = temporaryFolder(t);
  const { code, output } = await run(folder, [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    DEMO,
    '--once',
  ]);
  assert.equal(code, 0, output);
  assert.match(output, /music on hold put on Main was on mds1 and mds2 after \d+ ms/);
  assert.match(output, /a recording made on mds1 was on main and mds2 after \d+ ms/);
  assert.match(output, /^mds1 +in sync/m);
  assert.match(output, /^mds2 +in sync/m);
  assert.deepEqual(processesOf(folder), []);
});

test('on a terminal, without the sounds of Debian, the demo shows the status until Ctrl-C, which ends all that it started', async (t) => {
  const folder = temporaryFolder(t);
  const shell = `exec '${process.execPath}' --disable-warning=ExperimentalWarning '${DEMO}'`;
  const { code, output } = await run(
    folder,
    ['script', '--quiet', '--return', '--command', shell, '/dev/null'],
    {
      when: /^mds2 +in sync/m,
      type: '\u0003',
    },
    { XDS_DEMO_SOUNDS: 'generated' },
  );
  if (code === 255) return t.skip('script (of bsdutils) is not installed');
  assert.equal(code, 0, output);
  assert.match(output, /Main gets generated tones/);
  assert.match(output, /Everything that the demo started has ended/);
  await eventually('nothing of it runs', () => processesOf(folder).length === 0);
});

// The first is a command that runs in the terminal, too; the other a daemon that does not: then no command is under way.
for (const when of [/enroll --main/, /mds1 --log stderr run/])
  test(`Ctrl-C while the demo sets up ends it as quietly, at ${when.source}`, async (t) => {
    const folder = temporaryFolder(t);
    const shell = `exec '${process.execPath}' --disable-warning=ExperimentalWarning '${DEMO}'`;
    const { code, output } = await run(
      folder,
      ['script', '--quiet', '--return', '--command', shell, '/dev/null'],
      { when, type: '\u0003' },
      { XDS_DEMO_SOUNDS: 'generated' },
    );
    if (code === 255) return t.skip('script (of bsdutils) is not installed');
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /Error|in sync/);
    assert.match(output, /Everything that the demo started has ended/);
    await eventually('nothing of it runs', () => processesOf(folder).length === 0);
  });

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'xds-demo-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a command to its end, typing something as soon as its output matches. 255 when it is not there. */
async function run(
  folder: string,
  command: readonly string[],
  keys?: { readonly when: RegExp; readonly type: string },
  more: NodeJS.ProcessEnv = {},
): Promise<{ code: number; output: string }> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    stdio: 'pipe',
    timeout: LIMIT,
    env: { ...process.env, XDS_DEMO_DIR: folder, XDS_SYSLOG_SOCKET: '/nonexistent', ...more },
  });
  let output = '';
  let typed = keys === undefined;
  const hear = (piece: Buffer): void => {
    output += piece.toString();
    if (typed || keys === undefined || !keys.when.test(output)) return;
    typed = true;
    child.stdin.write(keys.type);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? 254, output };
  } catch (error) {
    return { code: 255, output: String(error) };
  }
}

/** The command lines of the processes that have this folder in them. */
function processesOf(folder: string): string[] {
  return globSync('/proc/[0-9]*/cmdline').flatMap((file) => {
    try {
      const line = readFileSync(file, 'utf8').replaceAll('\0', ' ');
      return line.includes(folder) ? [line] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}
