import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { ConfigError } from '#host/config/configError.ts';
import {
  loadControllerConfig,
  parseControllerConfig,
} from '../../../../controller/config/controllerConfig.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'xds-config-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function messageOf(yaml: string): string {
  try {
    parseControllerConfig('c.yml', yaml);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.exitCode, 2);
    return error.message;
  }
  throw new Error('the text was accepted');
}

void test('a missing or empty file gives all defaults, and the caller learns which it was', (t) => {
  const missing = join(folder(t), 'missing.yml');
  const empty = join(folder(t), 'empty.yml');
  writeFileSync(empty, '# nothing yet\n');
  const fromMissing = loadControllerConfig(missing);
  const fromEmpty = loadControllerConfig(empty);
  assert.equal(fromMissing.found, false);
  assert.equal(fromEmpty.found, true);
  assert.deepEqual(fromMissing.config, fromEmpty.config);
});

void test('a wrong value is named with file, line, key and what is allowed', (t) => {
  const file = join(folder(t), 'controller.yml');
  writeFileSync(
    file,
    `# Main
listen: 0.0.0.0:9443
directories:
  - name: moh
  - name: recordings
    direction: both
    deletions: mian
`,
  );
  assert.throws(() => loadControllerConfig(file), {
    name: 'ConfigError',
    message: `${file}:7: directories[1].deletions: "mian" is not one of main, both, never`,
  });
});

void test('an unknown key is named where it stands, with the keys that exist there', () => {
  assert.equal(
    messageOf('trash:\n  keep: 1d\n  kept: 1d\n'),
    'c.yml:3: trash.kept: unknown key; known here: keep, budget',
  );
  assert.match(
    messageOf('\nlisten_on: x\n'),
    /^c\.yml:2: listen_on: unknown key; known here: listen, reconcile, /,
  );
  assert.match(messageOf('__proto__: {a: 1}\n'), /^c\.yml:1: __proto__: unknown key/);
  assert.match(messageOf('a\u001b[2J: 1\n'), /^c\.yml:1: a\\x1b\[2J: unknown key/);
});

void test('all mistakes of a file are reported at once', () => {
  assert.equal(
    messageOf('settle: 300\nguard: { percent: 101, files: x }\ndirectories:\n'),
    [
      'c.yml:1: settle: 300 has no unit; write ms, s, m, h or d after it, such as 15m',
      'c.yml:2: guard.percent: 101 is not a whole number from 0 to 100',
      `c.yml:2: guard.files: "x" is not a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`,
      'c.yml:3: directories: an empty value is not a list',
    ].join('\n'),
  );
});

void test('a file that is no map is refused', () => {
  assert.match(messageOf('- a\n'), /^c\.yml:1: a list is not a map; known keys here: listen/);
  assert.match(messageOf('hello\n'), /^c\.yml:1: "hello" is not a map/);
});

void test('broken YAML is named with its line', () => {
  assert.match(messageOf('settle: 1s\ntrash: {\n'), /^c\.yml:\d: not valid YAML: /);
  assert.match(messageOf('settle: 1s\nsettle: 2s\n'), /^c\.yml:2: not valid YAML: Map keys must be unique$/);
  assert.match(messageOf('settle: !seconds 1\n'), /^c\.yml:1: not valid YAML: Unresolved tag/);
  assert.match(messageOf('a: 1\n---\nb: 1\n'), /^c\.yml:2: not valid YAML: .*multiple documents/);
});

void test('an IPv6 address without quotes is explained', () => {
  assert.match(messageOf('listen: [::]:9443\n'), /c\.yml:1: .*in quotes|needs quotes: "\[::\]:9443"/);
});

void test('aliases are refused before they expand', () => {
  const bomb = [
    'a: &a [x, x]',
    ...Array.from('bcdefghij').map((c, i) => `${c}: &${c} [${`*${'abcdefghij'[i]},`.repeat(9)}]`),
  ];
  assert.match(messageOf(bomb.join('\n')), /^c\.yml:2: "\*a": aliases are not allowed here/);
});

void test('text nested without end is refused', () => {
  assert.match(messageOf('['.repeat(200_000)), /^c\.yml.*(nested too deeply|not valid YAML)/);
});

void test('what is no readable text file is refused without reading it all', (t) => {
  const path = folder(t);
  assert.throws(() => loadControllerConfig(path), {
    name: 'ConfigError',
    message: `${path}: not a regular file`,
  });
  const fifo = join(path, 'fifo');
  execFileSync('mkfifo', [fifo]);
  assert.throws(() => loadControllerConfig(fifo), { message: `${fifo}: not a regular file` });
  assert.throws(() => loadControllerConfig('/dev/zero'), /not a regular file/);
  const large = join(path, 'large');
  writeFileSync(large, '#'.repeat(1024 * 1024 + 1));
  assert.throws(() => loadControllerConfig(large), /larger than 1 MiB/);
  const latin1 = join(path, 'latin1');
  writeFileSync(latin1, Buffer.from('# caf\xe9\n', 'latin1'));
  assert.throws(() => loadControllerConfig(latin1), /not valid UTF-8/);
  assert.throws(() => loadControllerConfig(join(latin1, 'below')), /can't be read: ENOTDIR/);
});

void test('files of the .d folder are laid over the file, in order, and a fault names file, line and key', (t) => {
  const at = folder(t);
  const file = join(at, 'controller.yml');
  const drop = join(at, 'controller.d');
  mkdirSync(drop);
  writeFileSync(
    file,
    'guard: { percent: 10, files: 5 }\ncanary: [mds1]\ndirectories: [{ name: moh, settle: 1s }]\n',
  );
  writeFileSync(
    join(drop, '20-last.yml'),
    'guard:\n  files: 7\ndirectories:\n  - { name: moh, lint: warn }\n',
  );
  writeFileSync(join(drop, '10-agi.yml'), 'directories:\n  - { name: agi, path: /a }\ncanary: [mds2]\n');
  writeFileSync(join(drop, '.30.yml.swp'), 'x: [');
  writeFileSync(join(drop, 'README'), 'x: [');
  const { config, files } = loadControllerConfig(file);
  assert.deepEqual(files, [file, join(drop, '10-agi.yml'), join(drop, '20-last.yml')]);
  assert.deepEqual(config.guard, { percent: 10, files: 7 });
  assert.deepEqual(config.canary, ['mds2']);
  assert.deepEqual(
    config.directories.map(({ name, lint, settleMs }) => [name, lint, settleMs]),
    [
      ['dialplan', 'block', 300],
      ['moh', 'warn', 1000],
      ['sounds', 'off', 300],
      ['recordings', 'off', 2000],
      ['agi', 'off', 300],
    ],
  );
  const refused = (text: string, message: string): void => {
    writeFileSync(join(drop, '20-last.yml'), text);
    assert.throws(
      () => loadControllerConfig(file),
      (error: Error) => {
        assert.equal(error.message.replaceAll(`${at}/`, ''), message);
        return true;
      },
    );
  };
  refused(
    '\nguard: { files: many }\n',
    'controller.d/20-last.yml:2: guard.files: "many" is not a whole number from 0 to 9007199254740991',
  );
  refused(
    '# x\nguard: { fils: 1 }\n',
    'controller.d/20-last.yml:2: guard.fils: unknown key; known here: percent, files',
  );
  refused(
    'directories:\n  - name: moh\n    settle: 3\n',
    'controller.d/20-last.yml:3: directories[0].settle: 3 has no unit; write ms, s, m, h or d after it, such as 15m',
  );
  refused(
    'directories:\n  - { name: agi }\n  - { name: agi, path: /b }\n',
    'controller.d/20-last.yml:3: directories[1].name: "agi" is already used by directories[1]',
  );
  assert.throws(() => refused('- a\n', ''), /20-last\.yml:1: a list is not a map/);
  refused(
    'a: [\n',
    'controller.d/20-last.yml:2: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
  );
});
