import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';

const LIMIT = 60_000;

/** Words put before a command that do something first, in namespaces that the command alone sees. */
function inside(namespaces: readonly string[], first: string): string[] {
  return ['unshare', ...namespaces, 'sh', '-c', `${first}; exec "$@"`, 'sh'];
}

function whyNot(words: readonly string[]): string | false {
  try {
    execFileSync(words[0] ?? '', [...words.slice(1), 'true'], { stdio: ['ignore', 'ignore', 'pipe'] });
    return false;
  } catch (error) {
    return `the system does not let this test make its namespaces: ${String(error)}`;
  }
}

/** The kernel counts by user and namespace, so that nothing else on this machine is affected. */
const watches = (allowed: number): string[] =>
  inside(['--user', '--map-root-user'], `echo ${allowed} > /proc/sys/user/max_inotify_watches`);
const FEW_WATCHES = watches(3);

void describe('Where the kernel has no file watches left', { skip: whyNot(FEW_WATCHES) }, () => {
  let cluster: Cluster;
  let mds: Mds;
  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
    mds = cluster.one('mds1');
    for (let i = 0; i < 6; i++) cluster.main.write('moh', `class${i}/a.wav`, 'a');
    cluster.main.start(FEW_WATCHES);
    await eventually('Main answers', () =>
      cluster
        .status()
        .then(() => true)
        .catch(() => false),
    );
    mds.start(FEW_WATCHES);
    await cluster.inSync(LIMIT);
  });
  after(() => cluster.end());

  void it('changes are found by reading, both ways', async () => {
    cluster.main.write('moh', 'class5/later.wav', 'later');
    await eventually('it is on the MDS', () => mds.read('moh', 'class5/later.wav') === 'later', LIMIT);
    mkdirSync(mds.at('recordings', 'a/b/c'), { recursive: true });
    mds.write('recordings', 'a/b/c/call.wav', 'call');
    await eventually(
      'it is on Main',
      () => cluster.main.read('recordings', 'a/b/c/call.wav') === 'call',
      LIMIT,
    );
  });

  void it('status, the log and doctor say so, and what to do', async () => {
    const words = /no watches left.*fs\.inotify\.max_user_watches/;
    const { main } = await cluster.status();
    assert.ok(
      main.directories.some(
        ({ name, warnings }) => name === 'moh' && warnings.some(({ message }) => words.test(message)),
      ),
      JSON.stringify(main.directories),
    );
    const lines = mds.log.split('\n').filter((line) => words.test(line));
    assert.ok(lines.length >= 1 && lines.length <= 4, `once for each directory:\n${lines.join('\n')}`);
    assert.doesNotMatch(mds.log, /could not be read/);
    for (const host of [cluster.main, mds]) {
      const launcher = host.launcher;
      host.launcher = [...watches(0), ...launcher];
      const { code, stdout } = await host.run(['doctor']);
      host.launcher = launcher;
      assert.equal(code, 1, stdout);
      assert.match(stdout, /FAILED +file watches .*none is left[\s\S]*fs\.inotify\.max_user_watches/);
    }
  });
});

const MOUNT = ['--mount', '--propagation', 'private'];

void describe(
  'A file system that is mounted inside a directory of an MDS',
  { skip: whyNot(inside(MOUNT, 'true')) },
  () => {
    let cluster: Cluster;
    let mds: Mds;
    before(async () => {
      cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
      mds = cluster.one('mds1');
      await cluster.startMain();
      mkdirSync(mds.at('moh', 'disk'));
      mds.start(inside(MOUNT, `mount -t tmpfs tmpfs "${mds.at('moh', 'disk')}"`));
      await cluster.inSync(LIMIT);
    });
    after(() => cluster.end());

    void it('is named with what to do, and stops nothing else', async () => {
      cluster.main.write('moh', 'disk/inside.wav', 'inside');
      cluster.main.write('moh', 'beside.wav', 'beside');
      await eventually('what is beside it arrives', () => mds.read('moh', 'beside.wav') === 'beside', LIMIT);
      await eventually('it is named', async () =>
        (await cluster.statusOf('mds1')).errors.some(
          ({ path, message }) =>
            path === 'moh/disk/inside.wav' && /file system is mounted.*directories:.*exclude:/.test(message),
        ),
      );
      const synced = await cluster.main.run(['sync']);
      assert.equal(synced.code, 1, synced.stdout);
      assert.match(synced.stdout + synced.stderr, /disk\/inside\.wav/);
    });
  },
);
