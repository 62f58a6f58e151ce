import assert from 'node:assert/strict';
import { it } from 'node:test';
import { controllerProgram, SHORTCUTS } from '../../../../controller/cli/program.ts';
import { completeWords } from '#host/cli/commandLine.ts';

const words = (line: string): string =>
  completeWords(controllerProgram(), line.split(' ').filter(Boolean), SHORTCUTS).join(' ');

void it('no command is a synchronisation', () => {
  assert.equal(words(''), 'sync');
  assert.equal(words('-n'), 'sync -n');
  assert.equal(words('--root /tmp/x --mds status --json'), 'sync --root /tmp/x --mds status --json');
});

void it('-i is init', () => {
  assert.equal(words('-i --listen 1.2.3.4:5'), 'init --listen 1.2.3.4:5');
  assert.equal(words('--root /x -i'), 'init --root /x');
});

void it('a command that is named is left alone', () => {
  assert.equal(words('--root sync status'), '--root sync status');
  assert.equal(words('stauts'), 'stauts');
  assert.equal(words('--help'), '--help');
});

void it('help CMD is CMD --help', () => {
  assert.equal(words('help'), '--help');
  assert.equal(words('help mds add'), 'mds add --help');
  assert.equal(words('help nope'), 'nope');
});
