import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { DialplanCheck } from '../../../../../controller/directories/dialplan/dialplanCheck.ts';
import { ManualClock } from '../../../../support/wire/manualClock.ts';

void test('what is saved on Main is judged within a second, and each cause is reported once', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-check-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const put = (name: string, text: string): void => writeFileSync(path.join(folder, name), text);
  const clock = new ManualClock();
  const said: string[] = [];
  const check = new DialplanCheck({
    place: { path: folder, asteriskPath: folder, root: '' },
    clock,
    travels: () => true,
    onBegan: (name, message) => said.push(`${name} ${message.slice(0, 45)}`),
    onEnded: (name) => said.push(`${name} is whole`),
    onError: (error) => assert.fail(String(error)),
  });
  const save = (name: string, text: string): string[] => {
    put(name, text);
    check.look();
    check.look();
    clock.advance(500);
    return said.splice(0);
  };
  assert.deepEqual(save('t.conf', '[tpl](!)\n'), []);
  assert.deepEqual(save('a.conf', '[a\n'), ["a.conf line 1: The section header has no closing ']'"]);
  assert.deepEqual(save('b.conf', '[b]\n'), []);
  assert.deepEqual(save('a.conf', '[a]\n'), ['a.conf is whole']);
  assert.deepEqual(save('u.conf', '[u](tpl)\n'), []);
  rmSync(path.join(folder, 't.conf'));
  assert.deepEqual(save('b.conf', '[b]\n'), ['u.conf line 1: The template [tpl] is not defined bef']);
  assert.equal(check.warnings.size, 1);
  assert.equal(clock.timers, 0);
});
