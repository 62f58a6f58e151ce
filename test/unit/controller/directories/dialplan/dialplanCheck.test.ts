import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { DialplanCheck } from '../../../../../controller/directories/dialplan/dialplanCheck.ts';
import { ManualClock } from '../../../../support/wire/manualClock.ts';

/** More turns of the event loop than reading a few small files takes, however busy the machine is. */
const TURNS = 100;

type Checked = {
  readonly check: DialplanCheck;
  readonly clock: ManualClock;
  readonly said: string[];
  readonly put: (name: string, text: string) => void;
  readonly remove: (name: string) => void;
};

function checked(t: TestContext): Checked {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-check-'));
  t.after(() => rmSync(folder, { recursive: true }));
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
  return {
    check,
    clock,
    said,
    put: (name, text) => writeFileSync(path.join(folder, name), text),
    remove: (name) => rmSync(path.join(folder, name)),
  };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await setImmediate();
}

test('what is saved on Main is judged within a second, and each cause is reported once', async (t) => {
  const { check, clock, said, put, remove } = checked(t);
  const save = async (name: string, text: string): Promise<string[]> => {
    put(name, text);
    check.look();
    check.look();
    clock.advance(500);
    await turns();
    return said.splice(0);
  };
  assert.deepEqual(await save('t.conf', '[tpl](!)\n'), []);
  assert.deepEqual(await save('a.conf', '[a\n'), ["a.conf line 1: The section header has no closing ']'"]);
  assert.deepEqual(await save('b.conf', '[b]\n'), []);
  assert.deepEqual(await save('a.conf', '[a]\n'), ['a.conf is whole']);
  assert.deepEqual(await save('u.conf', '[u](tpl)\n'), []);
  remove('t.conf');
  assert.deepEqual(await save('b.conf', '[b]\n'), ['u.conf line 1: The template [tpl] is not defined bef']);
  assert.equal(check.warnings.size, 1);
  assert.equal(clock.timers, 0);
});

/** Takes many times longer to read than one slice of work may last. */
const LARGE = `[a]\nexten = 1,1,NoOp()\n${' same = n,NoOp(some text)\n'.repeat(60_000)}`;

test('other work goes on while a large folder is judged, and a change meanwhile has it judged again', async (t) => {
  const { check, clock, said, put } = checked(t);
  put('a.conf', LARGE);
  put('b.conf', '[b\n');
  check.look();
  clock.advance(500);
  assert.equal(said.length, 0, 'it was judged in one piece');
  put('b.conf', '[b]\n');
  put('c.conf', '[c\n');
  check.look();
  let turned = 0;
  for (; !said.some((each) => each.startsWith('c.conf')); turned += 1) {
    await setImmediate();
    clock.advance(500);
  }
  assert.ok(turned > 3, `${turned} turns of the event loop`);
  assert.deepEqual([...check.warnings.keys()], ['c.conf']);
});

test('a large folder that is being read does not delay the end', async (t) => {
  const { check, clock, said, put } = checked(t);
  put('a.conf', LARGE);
  put('b.conf', '[b\n');
  check.look();
  clock.advance(500);
  await check.close();
  assert.deepEqual(said, []);
  check.look();
  assert.equal(clock.timers, 0);
});
