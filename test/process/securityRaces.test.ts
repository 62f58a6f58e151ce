import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../support/harness/cluster.ts';
import { DIRECTORIES, eventually } from '../support/harness/host.ts';

const SWAPS = Number(process.env['XDS_SWAPS'] ?? 12_000);
const SECRET = 'a secret that only root may read';
/** The unprivileged user nobody, who here is the user that owns the synchronised directories, as asterisk is on a XiVO. */
const ATTACKER = 65_534;

/**
 * The attack of a local user who owns the directories: replaces folders on the program's paths by links and other
 * folders for short times, and back. Written in Python, so that it shares no code with this project.
 */
const ATTACK = `
import os, sys, time, shutil
root, outside, recordings, swaps = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
os.chdir(root)
def quiet(work, *args):
    try: work(*args)
    except OSError: pass
def own_area(name):
    os.mkdir(name)
    os.symlink(outside, name + '/stage')
    os.symlink(outside, name + '/trash')
def swap(name, plant):
    quiet(os.rename, name, name + '.away')
    quiet(plant, name)
    if os.path.islink(name): quiet(os.unlink, name)
    elif name.startswith('.'): shutil.rmtree(name, ignore_errors=True)
    quiet(os.rename, name + '.away', name)
link = lambda name: os.symlink(outside, name)
rec = recordings + '/rec.wav'
def leak():
    quiet(os.rename, rec, rec + '.away')
    quiet(os.symlink, outside + '/secret', rec)
    quiet(os.unlink, rec)
    quiet(os.rename, rec + '.away', rec)
ways = [lambda: swap('sub', link), lambda: swap('sub/deep', link), lambda: swap('.xivo-xds-sync', link), lambda: swap('.xivo-xds-sync', own_area), leak]
for n in range(swaps):
    ways[n % len(ways)]()
    if n % 4 == 0: time.sleep(0.0008)
`;

/** Everything about a folder and what is in it that someone could have altered. */
function stateOf(folder: string): string[] {
  const names = ['.', ...readdirSync(folder).toSorted((a, b) => (a < b ? -1 : 1))];
  return names.map((name) => {
    const { mode, uid, gid, size, mtimeMs, ctimeMs, ino } = statSync(path.join(folder, name));
    const content = name === '.' ? '' : readFileSync(path.join(folder, name), 'utf8');
    return [name, mode, uid, gid, size, mtimeMs, ctimeMs, ino, content].join(' ');
  });
}

/** Main still works on what the last swaps made it see: what it moves on between our two looks is no content. */
function contentOf(file: string): string {
  const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  if (!isFile) return '';
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

void it(`A local user who owns the directories swaps folders for links ${SWAPS} times while files are applied, and nothing outside is touched or read`, async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can let another user own the directories');
  const cluster = await Cluster.make({
    enrolled: true,
    mds: ['mds1'],
    config: 'directories:\n  - { name: moh, settle: 0ms }\n  - { name: recordings, settle: 0ms }\n',
  });
  t.after(() => cluster.end());
  const { main } = cluster;
  const mds = cluster.one('mds1');
  chmodSync(cluster.folder, 0o711);
  const outside = path.join(cluster.folder, 'outside');
  mkdirSync(outside, { mode: 0o755 });
  writeFileSync(path.join(outside, 'secret'), SECRET, { mode: 0o600 });
  writeFileSync(path.join(outside, 'f1.wav'), 'a namesake outside');
  for (const directory of Object.values(DIRECTORIES)) chownSync(mds.root + directory, ATTACKER, ATTACKER);
  for (let i = 0; i < 20; i++) {
    main.write('moh', `sub/f${i}.wav`, `${i}`);
    main.write('moh', `sub/deep/g${i}.wav`, `${i}`);
  }
  for (const name of ['', 'sub', 'sub/deep']) chownSync(main.at('moh', name), ATTACKER, ATTACKER);
  await cluster.startMain();
  mds.start();
  await eventually('the files are there', () => mds.read('moh', 'sub/deep/g19.wav') === '19', 40_000);
  writeFileSync(mds.at('recordings', 'rec.wav'), 'a recording');
  chownSync(mds.at('recordings', 'rec.wav'), ATTACKER, ATTACKER);
  const before = stateOf(outside);

  const attack = spawn(
    'python3',
    ['-c', ATTACK, mds.at('moh'), outside, mds.at('recordings'), String(SWAPS)],
    {
      uid: ATTACKER,
      gid: ATTACKER,
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: 400_000,
    },
  );
  const ended = once(attack, 'exit');
  let running = true;
  void ended.then(() => (running = false));
  let written = 0;
  const isRunning = (): boolean => running;
  while (isRunning()) {
    for (let i = 0; i < 5; i++) {
      const name = `sub/${written % 2 === 0 ? `f${written % 20}` : `deep/g${written % 20}`}.wav`;
      if (written % 7 === 0) rmSync(main.at('moh', name), { force: true });
      else main.write('moh', name, `change ${written}`);
      written += 1;
    }
    await sleep(40);
  }
  const [code] = (await ended) as [number | null];
  assert.equal(code, 0, 'the attack was not carried through');
  assert.deepEqual(stateOf(outside), before);
  const { directories } = await cluster.statusOf('mds1');
  assert.ok(mds.isRunning, mds.log.slice(-2_000));
  for (const folder of [main.at('recordings'), main.at('moh')]) {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const file = path.join(folder, name);
      assert.ok(!contentOf(file).includes(SECRET), `${file} holds the secret`);
    }
  }
  // Peace again: all that Main has is there in the end.
  main.write('moh', 'sub/last.wav', 'last');
  await eventually('it converges', () => mds.read('moh', 'sub/last.wav') === 'last', 60_000).catch(
    (error: Error) => {
      throw new Error(`${error.message}\n${JSON.stringify(directories)}\n${mds.log.slice(-3_000)}`);
    },
  );
  console.log(`# races: ${SWAPS} swaps beside ${written} changes`);
});
