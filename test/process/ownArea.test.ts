import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { codeOf } from '#host/fs/errno.ts';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';

const CONFIG = `settle: 100ms
directories:
  - { name: moh }
  - { name: recordings, settle: 200ms }
`;
/** A user and a group that this program is not, as asterisk and www-data are on a XiVO. */
const OTHERS = '65534:33';
const AREA = '.xivo-xds-sync';
/** Where a test makes what is to take its place: the program leaves it alone there. */
const OVERRIDE = 'xds_override_made';

/** Puts what was made in the place of the program's own folder, which an agent may make again at any moment. */
async function putInItsPlace(host: Host): Promise<void> {
  await eventually('it is in the place of the own folder', () => {
    rmSync(host.at('moh', AREA), { recursive: true, force: true });
    try {
      renameSync(host.at('moh', OVERRIDE), host.at('moh', AREA));
      return true;
    } catch (error) {
      if (!['EISDIR', 'ENOTEMPTY'].includes(codeOf(error) ?? '')) throw error;
      return false;
    }
  });
}

/** What xivo-fix-paths-rights does at each upgrade of a XiVO, to our own folder as well. */
function fixPathsRights(host: Host, directory: 'moh' | 'recordings'): void {
  const folder = host.at(directory);
  execFileSync('chown', ['-R', OTHERS, folder]);
  execFileSync('find', [folder, '-type', 'd', '-exec', 'chmod', '2775', '{}', '+']);
  execFileSync('find', [folder, '-type', 'f', '-exec', 'chmod', '660', '{}', '+']);
}

function isOurs(folder: string): boolean {
  const { uid, mode } = lstatSync(folder);
  return uid === 0 && (mode & 0o777) === 0o700;
}

const why = process.getuid?.() === 0 ? false : 'only root can give files away';

void describe("The program's own folder in a directory", { skip: why }, () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'], config: CONFIG });
    cluster.main.write('moh', 'one.wav', 'first');
    await cluster.startMain();
    for (const mds of cluster.mds) mds.start();
    await cluster.inSync();
    cluster.main.write('moh', 'one.wav', 'second');
    await eventually('it is there', () => cluster.one('mds1').read('moh', 'one.wav') === 'second');
  });
  after(() => cluster?.end());

  void it('is taken back after a chown -R, with the trash that it holds', async () => {
    const mds = cluster.one('mds1');
    fixPathsRights(mds, 'moh');
    fixPathsRights(cluster.main, 'recordings');
    cluster.main.write('moh', 'two.wav', 'two');
    mds.write('recordings', 'call.wav', 'a call');
    await eventually('it is there', () => mds.read('moh', 'two.wav') === 'two');
    await eventually('it is on Main', () => cluster.main.read('recordings', 'call.wav') === 'a call');
    for (const folder of ['', 'stage', 'trash']) {
      assert.ok(isOurs(mds.at('moh', path.join(AREA, folder))), folder);
      assert.ok(isOurs(cluster.main.at('recordings', path.join(AREA, folder))), folder);
    }
    assert.match(await cluster.main.ok(['trash', 'list', '--mds', 'mds1']), /one\.wav/);
    await cluster.inSync();
  });

  void it('is replaced when another user made it, and its links are not followed', async () => {
    const mds = cluster.one('mds1');
    const outside = path.join(cluster.folder, 'outside');
    execFileSync('mkdir', [outside]);
    execFileSync('install', ['-d', '-o', '65534', '-m', '777', mds.at('moh', OVERRIDE)]);
    for (const name of ['stage', 'trash']) symlinkSync(outside, mds.at('moh', `${OVERRIDE}/${name}`));
    await putInItsPlace(mds);
    cluster.main.write('moh', 'one.wav', 'third');
    await eventually('it is there', () => mds.read('moh', 'one.wav') === 'third');
    assert.ok(isOurs(mds.at('moh', AREA)));
    assert.equal(execFileSync('find', [outside]).toString(), `${outside}\n`);
  });

  void it('is reported when a file has its name', async () => {
    const mds = cluster.one('mds1');
    writeFileSync(mds.at('moh', OVERRIDE), 'mine');
    await putInItsPlace(mds);
    cluster.main.write('moh', 'one.wav', 'fourth');
    let reported = '';
    await eventually('it is reported', async () => {
      reported = (await cluster.statusOf('mds1')).errors.map(({ message }) => message).join('\n');
      return /moh\/\.xivo-xds-sync is not the folder that this program needs there: move it away/.test(
        reported,
      );
    }).catch((error: Error) => assert.fail(`${error.message}\n${reported}`));
    assert.equal(readFileSync(mds.at('moh', AREA), 'utf8'), 'mine');
    rmSync(mds.at('moh', AREA));
    await eventually('it is there', () => mds.read('moh', 'one.wav') === 'fourth');
  });
});
