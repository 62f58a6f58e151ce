import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { textOf } from '#core/dialplan/finding.ts';
import { judgeChange } from '#core/dialplan/judgeChange.ts';
import type { Put } from '#host/dialplan/overlay.ts';
import { judgeSet, readChange } from '../../../../../agent/asterisk/activation/lintGate.ts';
import { readerOf } from '../../../../support/unit/dialplanReader.ts';

/** A dialplan that defines one extension. */
function plan(name: string): string {
  return `[${name}]\nexten = 201,1,NoOp(${name})\n`;
}

type OnDisk = Readonly<Record<string, string | { readonly linkTo: string }>>;

function folderWith(t: TestContext, disk: OnDisk): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'xds-lint-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, what] of Object.entries(disk)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    if (typeof what === 'string') writeFileSync(file, what);
    else symlinkSync(what.linkTo, file);
  }
  return folder;
}

async function errors(t: TestContext, disk: OnDisk, changed: Record<string, Put>): Promise<string[]> {
  const folder = folderWith(t, disk);
  const read = readerOf(t, folder);
  const { before, after } = await readChange(read, new Map(Object.entries(changed)));
  const findings = judgeChange(before, after, new Set(Object.keys(changed))).map(({ finding }) => finding);
  return findings.filter(({ severity }) => severity === 'error').map(textOf);
}

void test('a file that is in the folder twice because it was renamed is no error once the old name goes', async (t) => {
  const found = await errors(
    t,
    { old: plan('a'), link: { linkTo: 'old' } },
    { old: undefined, new: Buffer.from(plan('a')) },
  );
  assert.deepEqual(found, []);
});

void test('a link is read as what it leads to afterwards, also by way of others', async (t) => {
  const disk = { first: { linkTo: 'second' }, second: { linkTo: './d/../d/file' }, 'd/file': plan('a') };
  assert.deepEqual(await errors(t, disk, { 'd/file': Buffer.from(plan('b')), new: Buffer.from(plan('a')) }), [
    'second, line 2: 201,1 of [b] is defined in first line 2 already: Asterisk drops this one.',
  ]);
});

void test('a link that the change set brings is read, too', async (t) => {
  const found = await errors(t, { file: plan('a') }, { link: { linkTo: 'file' } });
  assert.equal(found.length, 1);
  assert.match(found[0] ?? '', /^link, line 2: 201,1 of \[a\] is defined in file line 2 already/);
});

void test('a link that leads nowhere, to itself or to a folder is not dialplan', async (t) => {
  const disk = {
    nowhere: { linkTo: 'x' },
    loop: { linkTo: 'loop' },
    folder: { linkTo: 'd' },
    'd/x': '[broken',
  };
  assert.deepEqual(await errors(t, disk, { new: Buffer.from(plan('a')) }), []);
});

void test('a file that was broken before blocks no change', async (t) => {
  assert.deepEqual(await errors(t, { local: '[broken' }, { new: Buffer.from(plan('a')) }), []);
});

void test('files that a removal on hold would break wait with it, and so do files that need those; the others go ahead', async (t) => {
  const folder = folderWith(t, { 'held.conf': plan('a'), 'user.conf': '[user]\nexten = 1,1,NoOp()\n' });
  const including = `[user]\nexten = 1,1,NoOp()\n#include "${folder}/parts/moved.inc"\n`;
  const read = readerOf(t, folder);
  const put = (text: string): Buffer => Buffer.from(text);
  const moved = new Map([
    ['parts/moved.inc', put(plan('a'))],
    ['other.conf', put(plan('other'))],
    ['user.conf', put(including)],
  ]);
  const held = new Set(['held.conf']);
  const { objections, waiting, change } = await judgeSet(read, moved, held, 'block');
  assert.equal(objections.size, 0);
  assert.match(
    waiting.get('parts/moved.inc') ?? '',
    /^removals that are on hold would have to come first: line 2: 201,1 of \[a\] is defined in held\.conf/,
  );
  assert.deepEqual([...waiting.keys()], ['parts/moved.inc', 'user.conf']);
  assert.ok(change.after.files.has('other.conf'));
  assert.ok(!change.after.files.has('parts/moved.inc'));

  const alone = await judgeSet(read, new Map([['moved.conf', put(plan('a'))]]), held, 'block');
  assert.deepEqual([...alone.objections.keys()], ['moved.conf'], 'nothing is left that could go ahead');
  const broken = await judgeSet(read, new Map([...moved, ['b.conf', put('[b\n')]]), held, 'block');
  assert.match(
    broken.objections.get('b.conf') ?? '',
    /^line 1: .*nothing of this change was applied \(lint: block\)$/,
  );
  assert.deepEqual(
    [...broken.objections.keys()],
    ['b.conf'],
    'what no confirmation resolves is reported first',
  );
  assert.equal((await judgeSet(read, moved, new Set(), 'block')).objections.size, 1);
});
