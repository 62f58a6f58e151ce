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

void it('help CMD with a word too many never runs the command', () => {
  const refused =
    /help takes only the name of a command, not "(extra|--json)" after "xivo-xds-sync (mds add|status)"/;
  assert.throws(() => words('help mds add extra'), refused);
  assert.throws(() => words('help status --json'), refused);
  assert.equal(words('help status --help'), 'status --help');
});

void it('a word too many after the option of an implied command is said to be one', () => {
  assert.equal(words('-n extra'), 'sync -n extra');
  assert.equal(words('--mds mds1 extra'), 'sync --mds mds1 extra');
  assert.equal(words('-i extra'), 'init extra');
  assert.equal(words('-n status'), '-n status', 'the option belongs to no command');
});
