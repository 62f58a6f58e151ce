import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  fchownSync,
  lchownSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../support/harness/cluster.ts';
import { type DirectoryName, eventually, type Host, type Program } from '../support/harness/host.ts';
import { treeOf } from '../support/harness/tree.ts';

const CONFIG = `settle: 100ms
directories:
  - { name: dialplan }
  - { name: moh }
  - { name: sounds }
  - { name: recordings, settle: 200ms }
guard: { percent: 100, files: 1000000 }
`;
/** Users and groups that this program is not, as asterisk and www-data are on a XiVO. */
const ASTERISK = 65_534;
const WWW = 33;
const isRoot = process.getuid?.() === 0;

/** Words that start a command with no more than its unit lets it have. */
function asItsUnit(program: Program): string[] {
  const unit = readFileSync(path.join(import.meta.dirname, `../../install/${program}.service`), 'utf8');
  const names = /^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
  assert.ok(names.length > 0 && names.length <= 3, `${program} has ${names.join(' ')}`);
  const set = ['-all', ...names.map((name) => `+${name.replace(/^CAP_/, '').toLowerCase()}`)].join(',');
  return ['setpriv', '--bounding-set', set, '--inh-caps=-all', '--no-new-privs'];
}

void describe(
  'With the three capabilities of their units',
  { skip: isRoot ? false : 'only root has any' },
  () => {
    let cluster: Cluster;

    const own = (
      host: Host,
      directory: DirectoryName,
      name: string,
      mode: number,
      group = ASTERISK,
    ): void => {
      chownSync(host.at(directory, name), ASTERISK, group);
      chmodSync(host.at(directory, name), mode);
    };

    async function same(directory: DirectoryName): Promise<void> {
      const skip = { skip: directory === 'sounds' ? ['recordings'] : [] };
      const expected = (): string => treeOf(cluster.main.at(directory), skip).join('\n');
      const got = (): string => treeOf(cluster.one('mds1').at(directory), skip).join('\n');
      await eventually('both are the same', () => expected() === got()).catch((error: Error) =>
        assert.fail(
          `${error.message}\n${expected()}\n---\n${got()}\n${cluster.one('mds1').log.slice(-3_000)}`,
        ),
      );
      await cluster.inSync();
    }

    before(async () => {
      cluster = await Cluster.make({ mds: ['mds1'], config: CONFIG });
      const { main } = cluster;
      const mds = cluster.one('mds1');
      for (const host of [main, mds]) {
        for (const directory of ['dialplan', 'moh', 'sounds', 'recordings'] as const)
          own(host, directory, '', 0o2770);
      }
      main.write('moh', 'folder/deep/a.wav', 'music');
      main.write('moh', 'plain.wav', 'more music');
      symlinkSync('plain.wav', main.at('moh', 'link.wav'));
      lchownSync(main.at('moh', 'link.wav'), ASTERISK, WWW);
      own(main, 'moh', 'folder', 0o2775);
      own(main, 'moh', 'folder/deep', 0o3770, WWW);
      own(main, 'moh', 'folder/deep/a.wav', 0o640, WWW);
      own(main, 'moh', 'plain.wav', 0o600);
      main.start(asItsUnit('xivo-xds-sync'));
      await eventually('Main answers', async () => (await main.run(['status'])).code <= 1);
      await cluster.enrol(mds);
      mds.start(asItsUnit('xivo-xds-sync-agent'));
      await cluster.inSync();
    });
    after(() => cluster?.end());

    void it('what is new arrives with owner, group, mode and time', () => same('moh'));

    void it('a change of owner, group, mode or time alone is delivered, one at a time and all at once', async () => {
      const { main } = cluster;
      chmodSync(main.at('moh', 'plain.wav'), 0o664);
      await same('moh');
      utimesSync(main.at('moh', 'plain.wav'), 1_500_000_000, 1_500_000_000);
      await same('moh');
      chownSync(main.at('moh', 'plain.wav'), WWW, WWW);
      await same('moh');
      chmodSync(main.at('moh', 'folder'), 0o755);
      await same('moh');
      own(main, 'moh', 'folder', 0o2775, WWW);
      own(main, 'moh', 'folder/deep/a.wav', 0o660, WWW);
      utimesSync(main.at('moh', 'folder/deep/a.wav'), 1_400_000_000, 1_400_000_000);
      await same('moh');
    });

    void it('files are replaced and removed in folders of other users', async () => {
      const { main } = cluster;
      main.write('moh', 'folder/deep/a.wav', 'other music');
      main.write('moh', 'folder/deep/b.wav', 'more');
      await same('moh');
      execFileSync('rm', ['-r', main.at('moh', 'folder')]);
      await same('moh');
    });

    void it('a recording travels to Main with its owner, and what is altered on the MDS is restored', async () => {
      const mds = cluster.one('mds1');
      mkdirSync(mds.at('recordings', 'queue'));
      own(mds, 'recordings', 'queue', 0o2770, WWW);
      mds.write('recordings', 'queue/call.wav', 'a call');
      own(mds, 'recordings', 'queue/call.wav', 0o640);
      await same('recordings');
      chmodSync(mds.at('moh', 'plain.wav'), 0o600);
      await same('moh');
    });

    void it('a recording waits until its writer closes it, however long that takes', async () => {
      const mds = cluster.one('mds1');
      const fd = openSync(mds.at('recordings', 'silent.wav'), 'w');
      try {
        fchownSync(fd, ASTERISK, ASTERISK);
        writeSync(fd, 'the beginning');
        await sleep(1_500);
        assert.equal(cluster.main.read('recordings', 'silent.wav'), undefined);
        writeSync(fd, ' and the end');
      } finally {
        closeSync(fd);
      }
      await eventually(
        'it is on Main',
        () => cluster.main.read('recordings', 'silent.wav') === 'the beginning and the end',
      );
    });

    void it('the set-id bits of a file stay where they are', async () => {
      const { main } = cluster;
      main.write('moh', 'tool', '#!/bin/sh\n');
      chmodSync(main.at('moh', 'tool'), 0o6755);
      const mds = cluster.one('mds1');
      await eventually('it is there', () => mds.read('moh', 'tool') !== undefined);
      await cluster.inSync();
      const line = treeOf(mds.at('moh')).find((each) => each.startsWith('tool '));
      assert.match(line ?? '', / 755 /);
    });
  },
);
