import assert from 'node:assert/strict';
import { readdir, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { dialplanProof } from '../../agent/asterisk/proof/proveDialplan.ts';
import { musicProof } from '../../agent/asterisk/proof/proveMusic.ts';
import type { Verdict } from '../../agent/asterisk/reload/proof.ts';
import { Reloader } from '../../agent/asterisk/reload/reloader.ts';
import type { ReloadResult } from '../../agent/asterisk/reload/result.ts';
import { dialplanWorld } from '#host/dialplan/place.ts';
import { CORPUS } from './asterisk/corpus.ts';
import { AsteriskInstance } from './asterisk/instance.ts';
import { fetchAsterisk } from './asterisk/root.ts';
import { silence } from './asterisk/silence.ts';
import { eventually } from '../support/harness/host.ts';
import { readDialplan } from '../support/dialplan/atOnce.ts';

const root = fetchAsterisk();
const skip = root.missing ?? false;
let asterisk: AsteriskInstance;

before(async () => {
  if (root.missing !== undefined) return;
  const folder = await mkdtemp(join(tmpdir(), 'reload-asterisk-'));
  const moh = join(folder, 'moh');
  await mkdir(moh);
  await writeFile(join(moh, 'first.wav'), silence());
  asterisk = await AsteriskInstance.create(root.folder, folder);
});

after(async () => {
  if (root.missing === undefined) await asterisk.remove();
});

beforeEach(async () => {
  if (root.missing !== undefined) return;
  await put({ 'a.conf': '[a]\nexten => 1,1,NoOp(one)\n' });
  const answer = await asterisk.cli('dialplan reload');
  if (answer.includes('No such command')) await asterisk.cli('module load pbx_config.so');
});

/** Makes the folder hold exactly these files. */
async function put(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  const { dialplan } = asterisk.folders;
  for (const name of await readdir(dialplan)) await rm(join(dialplan, name), { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(dialplan, name), content);
}

type Stand = { reloader: Reloader; results: ReloadResult[] };

/** A reloader as the agent has it; its pauses last a tenth, so that tests do. */
async function stand(t: TestContext, timeoutMs = 30_000): Promise<Stand> {
  const results: ReloadResult[] = [];
  const { dialplan, folder } = asterisk.folders;
  const command = [asterisk.command];
  const configFolder = join(folder, 'etc');
  const place = { path: dialplan, asteriskPath: dialplan, root: '', configFolder };
  const reloader = new Reloader({
    asterisk: command,
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
    prove: dialplanProof({
      asterisk: command,
      read: () => Promise.resolve(readDialplan(dialplanWorld(place))),
      folderName: 'extensions_extra.d',
      onConfigFolder: () => undefined,
    }),
    timeoutMs,
  });
  // The first good answer tells the proof where this Asterisk logs.
  assert.equal((await reloader.request('dialplan')).ok, true);
  results.length = 0;
  t.after(() => reloader.close());
  return { reloader, results };
}

test(
  'a broken file is a refusal with its file, its own line and the words of Asterisk',
  { skip },
  async (t) => {
    const { reloader } = await stand(t);
    await put({
      'a.conf': '[a]\nexten => 1,1,NoOp(one)\n',
      'b.conf': '[b]\nexten => 2,1,NoOp(two)\n[c\nexten => 3,1,NoOp()\n',
      'd.conf': '[d]\nexten => 4,1,NoOp(four)\n',
    });
    const refused = await reloader.request('dialplan');
    assert.equal(refused.ok, false);
    assert.match(refused.output, /Dialplan reloaded/);
    assert.deepEqual(refused.refusal, { file: 'b.conf', line: 3, message: "parse error: no closing ']'" });
    await put({ 'a.conf': '[a]\nexten => 1,1,NoOp(one)\n', 'b.conf': '[b]\nexten => 2,1,NoOp(two)\n' });
    const fixed = await reloader.request('dialplan');
    assert.deepEqual([fixed.ok, fixed.refusal], [true, undefined]);
    assert.match(await asterisk.cli('dialplan show b'), /NoOp\(two\)/);
  },
);

test('an include of nothing and a template from nowhere are refusals at their lines', { skip }, async (t) => {
  const { reloader } = await stand(t);
  await put({ 'a.conf': '[a]\nexten => 1,1,NoOp(one)\n#include "/nonexistent/x.conf"\n' });
  const include = await reloader.request('dialplan');
  assert.equal(include.refusal?.file, 'a.conf');
  assert.equal(include.refusal.line, 3);
  assert.match(include.refusal.message, /listed as a #include but it does not exist/);
  await put({
    'a.conf': '[a]\nexten => 1,1,NoOp(one)\n',
    'b.conf': '\n\n[b](nowhere)\nexten => 1,1,NoOp()\n',
  });
  const template = await reloader.request('dialplan');
  assert.deepEqual([template.refusal?.file, template.refusal?.line], ['b.conf', 3]);
  assert.match(template.refusal?.message ?? '', /category 'nowhere' does not exist/);
});

test('a folder that lost its last file is a refusal: the old plan stays', { skip }, async (t) => {
  const { reloader } = await stand(t);
  await put({});
  const refused = await reloader.request('dialplan');
  assert.equal(refused.ok, false);
  assert.match(refused.refusal?.message ?? '', /extensions_extra\.d\/\*' was listed as a #include/);
  assert.match(await asterisk.cli('dialplan show a'), /NoOp\(one\)/);
});

test('without a log the live plan alone shows what is not active', { skip }, async (t) => {
  const { reloader } = await stand(t);
  const logger = join(asterisk.folders.folder, 'etc/logger.conf');
  const before = await readFile(logger);
  await writeFile(logger, '[logfiles]\n');
  await asterisk.cli('logger reload');
  t.after(async () => {
    await writeFile(logger, before);
    await asterisk.cli('logger reload');
  });
  await put({ 'a.conf': '[a]\nexten => 1,1,NoOp(one)\n', 'b.conf': '[b]\nexten => 2,1,NoOp()\n[c\n' });
  const broken = await reloader.request('dialplan');
  assert.deepEqual([broken.refusal?.file, broken.refusal?.line], ['b.conf', 3]);
  await put({ 'a.conf': '[a]\nexten => 1,1,NoOp(one)\n[b](nowhere)\nexten => 1,1,NoOp()\n' });
  const template = await reloader.request('dialplan');
  assert.deepEqual([template.refusal?.file, template.refusal?.line], ['a.conf', 3]);
  await put({ 'a.conf': '[a]\nexten => 1,1,NoOp(two)\n' });
  assert.equal((await reloader.request('dialplan')).ok, true);
});

test('a plan that stays the old one is found without a log, too', { skip }, async (t) => {
  const { reloader } = await stand(t);
  const extensions = join(asterisk.folders.folder, 'etc/extensions.conf');
  const good = await readFile(extensions, 'utf8');
  await writeFile(extensions, `${good}\n[broken\n`);
  t.after(() => writeFile(extensions, good));
  await put({ 'a.conf': '[a]\nexten => 1,1,NoOp(new)\n' });
  const stale = await reloader.request('dialplan');
  assert.deepEqual([stale.ok, stale.refusal?.file, stale.refusal?.line], [false, 'a.conf', 2]);
  assert.match(stale.refusal?.message ?? '', /older version/);
});

test('no file that Asterisk takes is ever called refused', { skip }, async (t) => {
  const { reloader } = await stand(t);
  for (const { name, files } of CORPUS.filter(({ verdict }) => verdict === 'good')) {
    // A folder without any file at all is another matter.
    await put({ ...files, 'zz-last.conf': '[zz-last]\nexten => zz,1,NoOp(the end)\n' });
    const result = await reloader.request('dialplan');
    assert.deepEqual([name, result.refusal], [name, undefined]);
    assert.equal(result.ok, true, result.output);
  }
});

test('a lost line is no refusal of the reload, a lost rest is', { skip }, async (t) => {
  const { reloader } = await stand(t);
  await put({ 'a.conf': '[a]\nexten => 1,1,NoOp()\nnot a line\nexten => 1\nexten => 1,1,NoOp(again)\n' });
  assert.equal((await reloader.request('dialplan')).ok, true);
  await put({ 'a.conf': '[a]\nexten => 1,1,NoOp()\n', 'b.conf': '[b]\n\\\nexten => 1,1,NoOp()\n' });
  assert.deepEqual((await reloader.request('dialplan')).refusal, {
    file: 'b.conf',
    line: 2,
    message: 'Invalid escape',
  });
});

test('a stopped Asterisk gets the pending reload once when it is back', { skip }, async (t) => {
  const { reloader, results } = await stand(t);
  await asterisk.stop();
  t.after(() => asterisk.start().catch(() => undefined));
  const away = await reloader.request('dialplan');
  assert.deepEqual([away.ok, away.away, away.refusal], [false, true, undefined]);
  assert.match(away.output, /Unable to connect/);
  assert.deepEqual(reloader.pending(), ['dialplan']);
  await put({ 'a.conf': '[a]\nexten => 1,1,NoOp(while away)\n' });
  await asterisk.start();
  await eventually('nothing is pending', () => reloader.pending().length === 0);
  await sleep(500);
  assert.equal(results.filter(({ ok }) => ok).length, 1);
  assert.match(await asterisk.cli('dialplan show a'), /while away/);
});

test('an Asterisk that hangs is given up after a time, and the reload is made later', { skip }, async (t) => {
  const limit = 3_000;
  const { reloader } = await stand(t, limit);
  assert.ok(asterisk.pid !== undefined);
  process.kill(asterisk.pid, 'SIGSTOP');
  const started = Date.now();
  const away = await reloader.request('dialplan').finally(() => {
    process.kill(asterisk.pid ?? 0, 'SIGCONT');
  });
  assert.equal(away.away, true);
  assert.ok(Date.now() - started < limit + 20_000, String(Date.now() - started));
  await eventually('nothing is pending', () => reloader.pending().length === 0);
});

test('an Asterisk that started without any dialplan gets it with the first reload', { skip }, async (t) => {
  const { reloader } = await stand(t);
  await put({});
  await asterisk.stop();
  await asterisk.start();
  assert.match(await asterisk.cli('dialplan reload'), /No such command/);
  const refused = await reloader.request('dialplan');
  assert.equal(refused.ok, false);
  assert.ok(refused.refusal !== undefined);
  await put({ 'a.conf': '[a]\nexten => 1,1,NoOp(back)\n' });
  assert.equal((await reloader.request('dialplan')).ok, true);
  assert.match(await asterisk.cli('dialplan show a'), /back/);
});

test('many requests and reloads by hand at once end well, and few reloads do', { skip }, async (t) => {
  const { reloader, results } = await stand(t);
  const byHand = Array.from({ length: 5 }, () => asterisk.cli('dialplan reload'));
  const requests = Array.from({ length: 30 }, (_, index) => reloader.request(index % 2 ? 'moh' : 'dialplan'));
  for (const result of await Promise.all(requests)) assert.equal(result.ok, true, result.output);
  for (const answer of await Promise.all(byHand)) assert.match(answer, /Dialplan reloaded/);
  assert.equal(results.length, 4);
});

test('new music is playable after the reload', { skip }, async (t) => {
  const { reloader } = await stand(t);
  const { moh } = asterisk.folders;
  await writeFile(join(moh, '.new.wav'), silence());
  await rename(join(moh, '.new.wav'), join(moh, 'new.wav'));
  assert.equal((await reloader.request('moh')).ok, true);
  assert.match(await asterisk.cli('moh show files'), /new/);
  await copyFile(join(moh, 'new.wav'), join(moh, 'second.wav'));
  assert.equal((await reloader.request('moh')).ok, true);
  assert.match(await asterisk.cli('moh show files'), /second/);
});

test('two instances run side by side, each with its own plan', { skip }, async (t) => {
  const second = await AsteriskInstance.create(
    asterisk.root,
    await mkdtemp(join(tmpdir(), 'reload-second-')),
  );
  t.after(() => second.remove());
  await writeFile(join(second.folders.dialplan, 'b.conf'), '[b]\nexten => 1,1,NoOp(second)\n');
  await second.cli('module load pbx_config.so');
  assert.match(await second.cli('dialplan show'), /second/);
  assert.doesNotMatch(await asterisk.cli('dialplan show'), /second/);
});

test('the output of moh show files proves whether the music is known', { skip }, async () => {
  const { moh } = asterisk.folders;
  const prove = musicProof([asterisk.command]);
  const proof = async (): Promise<Verdict> => (await prove('moh', AbortSignal.timeout(10_000)))('');
  await asterisk.cli('moh reload');
  assert.deepEqual(await proof(), {});
  await writeFile(join(moh, 'caf\u00e9.1.wav'), silence());
  await writeFile(join(moh, 'no-suffix'), silence());
  await writeFile(join(moh, '.hidden.wav'), silence());
  const unknown = await proof();
  assert.equal(unknown.again, true);
  assert.match(unknown.note ?? '', /\/caf\u00e9\.1 is not known$/);
  assert.equal((await proof()).again, false, 'what a reload did not fix causes no further reload');
  await asterisk.cli('moh reload');
  assert.deepEqual(await proof(), {});
  await rm(join(moh, 'caf\u00e9.1.wav'));
  assert.match((await proof()).note ?? '', /\/caf\u00e9\.1 is gone$/);
  await asterisk.cli('moh reload');
  assert.deepEqual(await proof(), {});
});
