import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { type DirectoryName, eventually, type Host } from '../support/harness/host.ts';
import { onTerminal } from '../support/harness/onTerminal.ts';
import { statusShows } from '../support/harness/statusShows.ts';

const CONFIG = `settle: 100ms
directories:
  - { name: dialplan }
  - { name: moh }
  - { name: sounds }
  - { name: recordings, settle: 200ms, deletions: both }
`;
/** So many of these files at most may go before the guard sees that they are many: 25 %, and never fewer than 10. */
const unsuspicious = (files: number): number => Math.max(10, files / 4);
/** Long enough that a removal that is not held would have happened, milliseconds. */
const A_WHILE = 1_500;

/** Waits until status prints this, and ends with 1. */
async function heldIn(cluster: Cluster, wanted: RegExp): Promise<void> {
  await statusShows(cluster.main, wanted, { hint: /"causes":\[\{/, code: 1 });
}

/** The processor time that a daemon has used, in hundredths of a second. */
function processorTicks({ pid }: Host): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ');
  return Number(fields[13]) + Number(fields[14]);
}

function names(host: Host, directory: DirectoryName): string[] {
  return readdirSync(host.at(directory)).filter((name) => !name.startsWith('.') && name !== 'recordings');
}

void describe('A mass deletion on Main', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'], config: CONFIG });
    for (let i = 0; i < 60; i++) cluster.main.write('sounds', `${i}.wav`, `sound ${i}`);
    await cluster.startMain();
    await cluster.mainHas('sounds', 60);
    for (const mds of cluster.mds) mds.start();
    await cluster.inSync();
  });
  after(() => cluster.end());

  const remove = (from: number, to: number): void => {
    for (let i = from; i < to; i++) unlinkSync(cluster.main.at('sounds', `${i}.wav`));
  };

  const there = (): number => names(cluster.one('mds1'), 'sounds').length;

  void it('is held, shown by status with what releases it, and changes nothing', async () => {
    cluster.atOnce(() => remove(0, 25));
    await heldIn(
      cluster,
      /HELD mds1: sounds is on hold: \d+ of \d+ files would be removed.*confirm sounds --mds mds1/,
    );
    await cluster.mainHas('sounds', 35);
    await sleep(A_WHILE);
    const left = there();
    assert.ok(left >= 60 - unsuspicious(60), `${left} files are left`);
    const dry = await cluster.main.run(['-n']);
    assert.match(dry.stdout, /hold/);
  });

  void it('does not hold back what is new', async () => {
    const left = there();
    cluster.main.write('sounds', 'new.wav', 'new');
    await eventually('the new file is there', () => existsSync(cluster.one('mds1').at('sounds', 'new.wav')));
    assert.equal(there(), left + 1);
  });

  void it('stays held over a restart of the agent and of Main', async () => {
    const left = there();
    const heldSince = async (): Promise<string | undefined> =>
      (await cluster.status()).causes.find(({ kind }) => kind === 'hold')?.since;
    const since = await heldSince();
    assert.ok(since);
    await cluster.one('mds1').stop();
    await cluster.main.stop();
    await cluster.startMain();
    cluster.one('mds1').start();
    await heldIn(cluster, /HELD mds1: sounds is on hold: \d+ of \d+ files/);
    assert.equal(await heldSince(), since);
    assert.equal(there(), left);
  });

  void it('is asked about on a terminal, once the number was shown; "no" changes nothing', async () => {
    const number = /\d+ of \d+ files would be removed[^]*Allow this in sounds\? \[y\/N\]/;
    const before = there();
    const no = await onTerminal(cluster.main, ['confirm', 'sounds'], number, undefined, { type: 'n\r' });
    assert.equal(no.code, 1, no.text);
    assert.match(no.text, /nothing was changed\n$/);
    const unseen = await onTerminal(cluster.main, ['confirm', 'sounds'], undefined, undefined, {
      into: 'cat',
    });
    assert.equal(unseen.code, 2, unseen.text);
    assert.match(unseen.text, /nothing was confirmed: .* add --yes/);
    await sleep(A_WHILE);
    assert.equal(there(), before);
  });

  void it('happens after confirm', async () => {
    const shown = await cluster.main.ok(['confirm', 'sounds', '-n']);
    assert.match(
      shown,
      /^mds1: \d+ of \d+ files would be removed[^]*would go: \d+\.wav[^]*nothing was changed/,
    );
    assert.equal((await cluster.main.run(['confirm', 'moh'])).code, 1, 'nothing is on hold there');
    assert.match((await cluster.main.run(['confirm', 'moh', '--yes'])).stdout, /nothing is on hold in moh/);
    assert.doesNotMatch(await cluster.main.ok(['history']), /held removals confirmed/);
    assert.match(await cluster.main.ok(['confirm', 'sounds', '--yes']), /mds1: confirmed/);
    assert.match(await cluster.main.ok(['history']), /command by \S+\n {2}main {2}confirm/);
    await cluster.inSync();
    assert.equal(there(), 36);
    assert.equal((await cluster.main.run(['status'])).code, 0);
    const list = await cluster.main.ok(['trash', 'list', '--mds', 'mds1']);
    assert.equal(list.match(/sounds\/\d+\.wav/g)?.length, 25);
  });

  void it('is held again when a second one follows the first', async () => {
    cluster.atOnce(() => remove(25, 42));
    await heldIn(cluster, /HELD mds1: sounds is on hold: \d+ of \d+ files/);
    await cluster.mainHas('sounds', 19);
    await sleep(A_WHILE);
    assert.ok(there() >= 36 - unsuspicious(36));
    await cluster.main.ok(['confirm', 'sounds', '--mds', 'mds1']);
    await cluster.inSync();
    assert.equal(there(), 19);
  });

  void it('does not make a few removals suspicious once it was confirmed', async () => {
    remove(42, 44);
    await eventually('they are gone', () => !existsSync(cluster.one('mds1').at('sounds', '43.wav')));
    await cluster.inSync();
  });

  void it('that arrives a few files at a time is held, too', async () => {
    for (let i = 44; i < 59; i += 3) {
      remove(i, i + 3);
      await sleep(400);
    }
    await heldIn(cluster, /HELD mds1: sounds is on hold/);
    assert.ok(there() >= 5);
    await cluster.main.ok(['confirm', 'sounds']);
    await cluster.inSync();
  });
});

void describe('A hold of removals in the dialplan', () => {
  let cluster: Cluster;
  const plan = (context: string, extension: number): string =>
    `[${context}]\nexten = ${extension},1,NoOp(${context})\n`;
  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'], config: CONFIG });
    for (let i = 10; i < 40; i++) cluster.main.write('dialplan', `${i}.conf`, plan('a', i));
    await cluster.startMain();
    for (const mds of cluster.mds) mds.start();
    await cluster.inSync();
    // As one removal, whatever the watcher makes of it.
    await cluster.main.ok(['pause']);
    for (let i = 10; i < 25; i++) unlinkSync(cluster.main.at('dialplan', `${i}.conf`));
    await cluster.main.run(['-n']);
    await cluster.main.ok(['resume']);
    await heldIn(cluster, /HELD mds1: dialplan is on hold/);
  });
  after(() => cluster.end());

  void it('delivers unrelated files, and keeps out only those that depend on it', async () => {
    const mds = cluster.one('mds1');
    cluster.main.write('dialplan', 'moved.conf', plan('a', 10));
    cluster.main.write('dialplan', 'other.conf', plan('other', 1));
    await eventually('the other one is there', () => existsSync(mds.at('dialplan', 'other.conf')));
    await eventually('it is said what the moved one waits for', async () => {
      const [error, ...more] = (await cluster.statusOf('mds1')).errors;
      return (
        more.length === 0 &&
        error?.path === 'dialplan/moved.conf' &&
        error.message.startsWith('removals that are on hold would have to come first: line 2: 10,1 of [a]')
      );
    });
    assert.equal(existsSync(mds.at('dialplan', 'moved.conf')), false);
    const dry = await cluster.main.run(['-n']);
    assert.equal(dry.code, 1);
    assert.match(dry.stdout, /hold +moved\.conf .*removals that are on hold/);
    assert.match(dry.stdout, /dialplan is on hold: 1[45] of \d+ files .*xivo-xds-sync confirm dialplan$/m);
  });

  void it('is confirmed for the removals that it holds, and for nothing else', async () => {
    const mds = cluster.one('mds1');
    const shown = await cluster.main.run(['confirm', 'dialplan', '-n']);
    assert.match(shown.stdout, /^mds1: 1[45] of \d+ files would be removed/);
    assert.doesNotMatch(shown.stdout, /moved\.conf/);
    await cluster.main.ok(['confirm', 'dialplan', '--yes']);
    await cluster.inSync();
    assert.equal(mds.read('dialplan', 'moved.conf'), plan('a', 10));
    assert.equal(existsSync(mds.at('dialplan', '10.conf')), false);
  });

  void it('is not what lint blocks: that can not be confirmed', async () => {
    cluster.main.write('dialplan', 'broken.conf', '[broken\n');
    await heldIn(cluster, /CRITICAL mds1: dialplan\/broken\.conf: line 1: /);
    const nothing = await cluster.main.run(['confirm', 'dialplan', '--yes']);
    assert.equal(nothing.code, 1);
    assert.match(nothing.stdout, /nothing is on hold in dialplan/);
  });
});

void describe("Main's directory", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'], config: CONFIG });
    for (let i = 0; i < 3; i++) cluster.main.write('moh', `${i}.wav`, `music ${i}`);
    for (let i = 0; i < 3; i++)
      cluster.main.write('dialplan', `${i}.conf`, `[c${i}]\nexten = 201,1,NoOp()\n`);
    for (let i = 0; i < 3; i++) cluster.main.write('recordings', `${i}.wav`, `recording ${i}`);
    await cluster.startMain();
    for (const mds of cluster.mds) mds.start();
    await cluster.inSync();
  });
  after(() => cluster.end());

  void it('that became empty removes nothing anywhere, and recovers when the files are back', async () => {
    for (let i = 0; i < 3; i++) unlinkSync(cluster.main.at('moh', `${i}.wav`));
    await heldIn(cluster, /HELD moh is on hold on Main: .*became empty.*xivo-xds-sync confirm moh/);
    await sleep(A_WHILE);
    assert.equal(names(cluster.one('mds1'), 'moh').length, 3);
    for (let i = 0; i < 2; i++) cluster.main.write('moh', `${i}.wav`, `music ${i}`);
    await eventually(
      'what did not come back is removed',
      () => names(cluster.one('mds1'), 'moh').length === 2,
    );
    await cluster.inSync();
    assert.equal((await cluster.main.run(['status'])).code, 0);
    cluster.main.write('moh', '2.wav', 'music 2');
    await eventually('it is there', () => existsSync(cluster.one('mds1').at('moh', '2.wav')));
    await cluster.inSync();
  });

  void it('that became empty removes all after confirm', async () => {
    for (let i = 0; i < 3; i++) unlinkSync(cluster.main.at('moh', `${i}.wav`));
    await heldIn(cluster, /HELD moh is on hold on Main: .*became empty/);
    await cluster.main.ok(['confirm', 'moh']);
    await cluster.inSync();
    assert.deepEqual(names(cluster.one('mds1'), 'moh'), []);
    assert.equal((await cluster.main.run(['status'])).code, 0);
  });

  void it('that is missing removes nothing, and recovers when it is back', async () => {
    const place = cluster.main.at('dialplan');
    renameSync(place, `${place}.away`);
    await heldIn(cluster, /HELD dialplan is on hold on Main: .*the directory is missing \(.*ENOENT\)/);
    const before = processorTicks(cluster.main);
    await sleep(A_WHILE);
    assert.ok(processorTicks(cluster.main) - before < 100, 'Main waits without working');
    assert.equal(names(cluster.one('mds1'), 'dialplan').length, 3);
    renameSync(`${place}.away`, place);
    await cluster.inSync();
    assert.equal((await cluster.main.run(['status'])).code, 0);
    cluster.main.write('dialplan', 'later.conf', '[later]\nexten = 201,1,NoOp()\n');
    await eventually('it is watched again', () =>
      existsSync(cluster.one('mds1').at('dialplan', 'later.conf')),
    );
  });

  void it('that was missing at the start removes nothing', async () => {
    const place = cluster.main.at('dialplan');
    await cluster.main.stop();
    renameSync(place, `${place}.away`);
    await cluster.startMain();
    await heldIn(cluster, /HELD dialplan is on hold on Main: .*the directory is missing \(.*ENOENT\)/);
    await sleep(A_WHILE);
    assert.equal(names(cluster.one('mds1'), 'dialplan').length, 4);
    renameSync(`${place}.away`, place);
    await cluster.inSync();
  });

  void it('that was replaced by another folder is held until it is confirmed', async () => {
    const place = cluster.main.at('recordings');
    renameSync(place, `${place}.away`);
    mkdirSync(place);
    cluster.main.write('recordings', 'other.wav', 'other');
    await heldIn(
      cluster,
      /HELD recordings is on hold on Main: .*is not the same directory as before.*confirm recordings/,
    );
    await sleep(A_WHILE);
    assert.equal(names(cluster.one('mds1'), 'recordings').length, 3);
    await cluster.main.ok(['confirm', 'recordings']);
    await cluster.inSync();
    assert.deepEqual(names(cluster.one('mds1'), 'recordings'), ['other.wav']);
    cluster.main.write('recordings', 'later.wav', 'later');
    await eventually('it is watched', () => existsSync(cluster.one('mds1').at('recordings', 'later.wav')));
    cluster.one('mds1').write('recordings', 'there.wav', 'there');
    await eventually('it takes recordings', () => existsSync(cluster.main.at('recordings', 'there.wav')));
  });
});

void describe("An MDS's directory", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1', 'mds2'], config: CONFIG });
    for (let i = 0; i < 3; i++) cluster.main.write('moh', `${i}.wav`, `music ${i}`);
    for (let i = 0; i < 3; i++) cluster.main.write('recordings', `${i}.wav`, `recording ${i}`);
    await cluster.startMain();
    for (const mds of cluster.mds) mds.start();
    await cluster.inSync();
  });
  after(() => cluster.end());

  void it('that became empty is filled again where removals there do not count', async () => {
    const mds = cluster.one('mds1');
    for (let i = 0; i < 3; i++) unlinkSync(mds.at('moh', `${i}.wav`));
    await eventually('all is back', () => names(mds, 'moh').length === 3);
    await cluster.inSync();
  });

  void it('that became empty is held where removals there count, and happens after confirm', async () => {
    const mds = cluster.one('mds1');
    for (let i = 0; i < 3; i++) unlinkSync(mds.at('recordings', `${i}.wav`));
    await heldIn(cluster, /HELD mds1: recordings is on hold: .*became empty.*confirm recordings --mds mds1/);
    await sleep(A_WHILE);
    assert.equal(names(cluster.main, 'recordings').length, 3);
    await cluster.main.ok(['confirm', 'recordings', '--mds', 'mds1']);
    await cluster.inSync();
    assert.deepEqual(names(cluster.main, 'recordings'), []);
    assert.deepEqual(names(cluster.one('mds2'), 'recordings'), []);
  });

  void it('that is missing is held, and made and filled again after confirm', async () => {
    const mds = cluster.one('mds1');
    rmSync(mds.at('moh'), { recursive: true });
    await heldIn(
      cluster,
      /HELD mds1: moh is on hold: .*the directory is missing \(.*ENOENT\).*confirm moh --mds mds1/,
    );
    cluster.main.write('moh', 'meanwhile.wav', 'meanwhile');
    await sleep(A_WHILE);
    assert.equal(existsSync(mds.at('moh')), false);
    assert.equal(names(cluster.main, 'moh').length, 4);
    // It ends neither the reconcile at connect nor, with it, the agent: the other directories go on.
    await mds.stop();
    const saidBefore = mds.log.length;
    mds.start();
    await eventually('it reconciled', () => mds.log.slice(saidBefore).includes('reconciled'));
    cluster.main.write('sounds', 'other.wav', 'another directory');
    await eventually('another directory goes on', () => existsSync(mds.at('sounds', 'other.wav')));
    assert.ok(mds.isRunning, mds.log.slice(-2_000));
    await cluster.main.ok(['confirm', 'moh', '--mds', 'mds1']);
    await cluster.inSync();
    assert.equal(names(mds, 'moh').length, 4);
    cluster.main.write('moh', 'later.wav', 'later');
    await eventually('it is filled', () => existsSync(mds.at('moh', 'later.wav')));
    unlinkSync(mds.at('moh', 'later.wav'));
    await eventually('it is watched', () => existsSync(mds.at('moh', 'later.wav')));
  });

  void it('that was replaced by an empty one removes nothing on Main', async () => {
    const mds = cluster.one('mds2');
    cluster.main.write('recordings', 'a.wav', 'a');
    await eventually('it is there', () => existsSync(mds.at('recordings', 'a.wav')));
    await cluster.inSync();
    renameSync(mds.at('recordings'), `${mds.at('recordings')}.away`);
    mkdirSync(mds.at('recordings'));
    await heldIn(cluster, /HELD mds2: recordings is on hold: .*is not the same directory as before/);
    await sleep(A_WHILE);
    assert.deepEqual(names(cluster.main, 'recordings'), ['a.wav']);
  });
});
