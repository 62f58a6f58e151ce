import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';

const STATE = 'var/lib/xivo-xds-sync';
/** Long enough for a removal that should not happen. */
const PATIENCE = 1_500;

const stateFolder = (host: Host): string => path.join(host.root, STATE);

/** The database with what belongs to it. */
function stateFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('state.sqlite'));
}

function loseState(host: Host): void {
  for (const name of stateFiles(stateFolder(host))) rmSync(path.join(stateFolder(host), name));
}

function keepCopy(host: Host): string {
  const copy = path.join(host.root, 'copy-of-state');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  for (const name of stateFiles(stateFolder(host)))
    copyFileSync(path.join(stateFolder(host), name), path.join(copy, name));
  return copy;
}

function putBack(host: Host, copy: string): void {
  loseState(host);
  for (const name of readdirSync(copy))
    copyFileSync(path.join(copy, name), path.join(stateFolder(host), name));
}

function metaOf(host: Host, key: string): string | undefined {
  using db = new DatabaseSync(path.join(stateFolder(host), 'state.sqlite'), { readOnly: true });
  const value = db.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value'];
  return typeof value === 'string' ? value : undefined;
}

void describe('With a state that was lost, or an old copy of it,', () => {
  let cluster: Cluster;
  let mds: Mds;
  let main: Host;

  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
    ({ main } = cluster);
    mds = cluster.one('mds1');
    for (let i = 0; i < 12; i++) {
      main.write('sounds', `s${i}.wav`, `sound ${i}`);
      main.write('recordings', `r${i}.wav`, `recording ${i}`);
    }
    mds.write('recordings', 'mine.wav', 'recorded here');
    mds.write('sounds', 'local.wav', 'local');
    await cluster.startMain();
    mds.start();
    // What has just been written is not announced before it has settled: until then both sides rightly agree without it.
    await eventually(
      'all is delivered',
      () => existsSync(mds.at('recordings', 'r11.wav')) && existsSync(main.at('recordings', 'mine.wav')),
    );
    await cluster.inSync();
  });
  after(() => cluster.end());

  /** By a session of its present run: Main may still have the one before. */
  async function back(): Promise<void> {
    await eventually('mds1 is connected', async () => {
      const { state, connectedSince } = await cluster.statusOf('mds1');
      return state === 'connected' && Date.parse(connectedSince ?? '') >= mds.startedAt;
    });
  }

  async function heldIn(name: 'sounds' | 'recordings'): Promise<string | null> {
    const { directories } = await cluster.statusOf('mds1');
    return directories.find((each) => each.name === name)?.held ?? null;
  }

  /** What was to be removed stays, with a reason, until a person confirms; then it goes. */
  async function isHeldUntilConfirmed(
    name: 'sounds' | 'recordings',
    file: string,
    why: RegExp,
  ): Promise<void> {
    await eventually(`the removal of ${file} is held`, async () => (await heldIn(name)) !== null);
    assert.match((await heldIn(name)) ?? '', why);
    assert.ok(existsSync(mds.at(name, file)), `${file} was removed without a confirmation`);
    await cluster.main.ok(['confirm', name]);
    await eventually(`${file} is removed`, () => !existsSync(mds.at(name, file)));
  }

  async function passes(milliseconds: number): Promise<void> {
    const until = Date.now() + milliseconds;
    await eventually('time passes', () => Date.now() > until);
  }

  /** The agent takes Main's state for the known one when nothing has gone for the settle time of recordings, and a bit. */
  async function isAccepted(): Promise<void> {
    await eventually("the agent has accepted Main's state", () => {
      const known = metaOf(mds, 'known:main');
      const isMains = known?.includes(metaOf(main, 'state-id') ?? 'unknown') === true;
      return isMains && metaOf(mds, 'strange') === undefined;
    });
  }

  async function nothingIsRemoved(name: 'sounds' | 'recordings', file: string): Promise<void> {
    await passes(PATIENCE);
    assert.ok(existsSync(mds.at(name, file)), `${file} was removed`);
  }

  void it('an MDS without its state removes nothing: what Main removed is held', async () => {
    await mds.kill();
    loseState(mds);
    unlinkSync(main.at('sounds', 's0.wav'));
    unlinkSync(main.at('recordings', 'r0.wav'));
    // An MDS that still saw them in Main's manifest would know that they are Main's.
    await cluster.mainHas('sounds', 11);
    await cluster.mainHas('recordings', 12);
    mds.start();
    await back();
    await isHeldUntilConfirmed('recordings', 'r0.wav', /state is not the one that Main knew/);
    // Without a ledger it can't be distinguished from a file that was always local.
    await nothingIsRemoved('sounds', 's0.wav');
    assert.equal(mds.read('sounds', 'local.wav'), 'local');
    assert.equal(main.read('recordings', 'mine.wav'), 'recorded here');
  });

  void it('an MDS with an old state holds what Main has removed since', async () => {
    // An MDS that does not know Main's state can't see in the next test that it is another one.
    await isAccepted();
    await mds.kill();
    const copy = keepCopy(mds);
    mds.start();
    await back();
    main.write('sounds', 'later.wav', 'later');
    await eventually('it is delivered', () => mds.read('sounds', 'later.wav') === 'later');
    await cluster.inSync();
    await mds.kill();
    putBack(mds, copy);
    unlinkSync(main.at('sounds', 's1.wav'));
    await cluster.mainHas('sounds', 11);
    mds.start();
    await back();
    await isHeldUntilConfirmed('sounds', 's1.wav', /state is not the one that Main knew/);
    assert.equal(mds.read('sounds', 'later.wav'), 'later');
  });

  void it('Main without its state holds what vanished from its disk meanwhile, and recordings come back', async () => {
    await main.kill();
    loseState(main);
    unlinkSync(main.at('sounds', 's2.wav'));
    unlinkSync(main.at('recordings', 'r2.wav'));
    await cluster.startMain();
    await back();
    await eventually('the recording is back', () => main.read('recordings', 'r2.wav') === 'recording 2');
    await isHeldUntilConfirmed('sounds', 's2.wav', /Main's state is new/);
    assert.equal(mds.read('recordings', 'r2.wav'), 'recording 2');
  });

  void it('Main with an old state holds what vanished from its disk meanwhile', async () => {
    await main.kill();
    const copy = keepCopy(main);
    await cluster.startMain();
    await back();
    await isAccepted();
    main.write('sounds', 'even-later.wav', 'even later');
    mds.write('recordings', 'mine-later.wav', 'recorded later');
    await eventually('both have everything', () => {
      return (
        mds.read('sounds', 'even-later.wav') === 'even later' &&
        main.read('recordings', 'mine-later.wav') === 'recorded later'
      );
    });
    await cluster.inSync();
    await main.kill();
    putBack(main, copy);
    unlinkSync(main.at('sounds', 's3.wav'));
    unlinkSync(main.at('recordings', 'r3.wav'));
    await cluster.startMain();
    await back();
    await isHeldUntilConfirmed('recordings', 'r3.wav', /Main's state is older than what this MDS has seen/);
    // Neither a new connection nor a new start is a person's word.
    await mds.kill();
    mds.start();
    await back();
    await isHeldUntilConfirmed('sounds', 's3.wav', /Main's state is older than what this MDS has seen/);
    assert.equal(mds.read('recordings', 'mine-later.wav'), 'recorded later');
    assert.equal(main.read('recordings', 'mine-later.wav'), 'recorded later');
    assert.equal(mds.read('sounds', 'even-later.wav'), 'even later');
  });

  void it('all is as usual afterwards: removals happen at once', async () => {
    await isAccepted();
    unlinkSync(main.at('sounds', 's4.wav'));
    unlinkSync(main.at('recordings', 'r4.wav'));
    await eventually(
      'both are gone',
      () => !existsSync(mds.at('sounds', 's4.wav')) && !existsSync(mds.at('recordings', 'r4.wav')),
    );
    await cluster.inSync();
    const verified = await main.run(['verify']);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  });
});
