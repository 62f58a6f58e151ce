import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';

const LIMIT = 90_000;
const PART = 'p'.repeat(250);

/** Makes a file below so many folders of 250 bytes each: no system call takes such a path at once. */
function deepFile(root: string, folder: string, depth: number, name: string): void {
  const steps = Array.from({ length: depth }, () => `mkdir -p ${PART} && cd -P ${PART}`).join(' && ');
  execFileSync(
    'bash',
    ['--norc', '-c', `mkdir -p ${folder} && cd ${folder} && ${steps} && echo deep > ${name}`],
    {
      cwd: root,
    },
  );
}

void describe('A file that can not be put into a message is left out, and nothing else is', () => {
  let cluster: Cluster;
  let main: Host;
  let mds: Mds;

  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
    ({ main } = cluster);
    mds = cluster.one('mds1');
    main.write('moh', 'plain.wav', 'music');
    await cluster.startMain();
    mds.start();
    await cluster.inSync(LIMIT);
  });
  after(() => cluster.end());

  async function others(name: string): Promise<void> {
    main.write('moh', `others/${name}`, name);
    await eventually('others travel', () => mds.read('moh', `others/${name}`) === name, LIMIT);
    await cluster.inSync(LIMIT);
    for (const host of [main, mds]) assert.doesNotMatch(host.log, /protocol violation|Max payload/);
  }

  for (const [what, date] of [
    ['after 2286', '2300-01-01T00:00:00.123456789Z'],
    ['at the end of ext4', '2446-05-10T22:38:55Z'],
    ['before 1970', '1901-12-14T00:00:00.000000001Z'],
  ] as const) {
    void it(`a time ${what} travels, both ways`, async () => {
      const name = `dated-${date.slice(0, 4)}.wav`;
      for (const [from, to, directory] of [
        [main, mds, 'moh'],
        [mds, main, 'recordings'],
      ] as const) {
        from.write(directory, name, date);
        execFileSync('touch', ['-d', date, from.at(directory, name)]);
        const { mtimeNs } = lstatSync(from.at(directory, name), { bigint: true });
        await eventually(
          `it is there (${directory})`,
          () =>
            existsSync(to.at(directory, name)) &&
            lstatSync(to.at(directory, name), { bigint: true }).mtimeNs === mtimeNs,
          LIMIT,
        );
      }
      await others(name);
    });
  }

  for (const depth of [17, 40]) {
    void it(`a path of ${depth * 251} bytes is named with its reason, on either side`, async () => {
      deepFile(main.at('moh'), `deep-${depth}`, depth, 'file.wav');
      deepFile(mds.at('recordings'), `deep-${depth}`, depth, 'file.wav');
      await eventually(
        'status names both',
        async () => {
          const status = await cluster.status();
          const onMain = status.main.directories.find(({ name }) => name === 'moh')?.skipped ?? [];
          const [agent] = status.mds;
          const onMds = agent?.directories.find(({ name }) => name === 'recordings')?.skipped ?? [];
          return [onMain, onMds].every((skipped) =>
            skipped.some(({ path, reason }) => path.startsWith(`deep-${depth}/`) && /bytes/.test(reason)),
          );
        },
        LIMIT,
      );
      await others(`deep-${depth}.wav`);
      for (const folder of [main.at('moh', `deep-${depth}`), mds.at('recordings', `deep-${depth}`)])
        execFileSync('rm', ['-rf', folder]);
      await eventually(
        'it is no longer named',
        async () => {
          const { main: onMain, mds: agents } = await cluster.status();
          return [...onMain.directories, ...(agents[0]?.directories ?? [])].every(
            ({ skipped }) => skipped.length === 0,
          );
        },
        LIMIT,
      );
    });
  }

  void it('4,200 files with paths of 1,168 bytes arrive, both ways', async () => {
    const folder = `long/${'a'.repeat(230)}/${'b'.repeat(230)}/${'c'.repeat(230)}/${'d'.repeat(230)}`;
    await mds.stop();
    for (const [host, directory] of [
      [main, 'sounds'],
      [mds, 'recordings'],
    ] as const) {
      host.write(directory, `${folder}/first`, '');
      for (let i = 1; i <= 4_200; i++) {
        const name = `${'e'.repeat(220)}-${String(i).padStart(5, '0')}`;
        writeFileSync(host.at(directory, `${folder}/${name}`), '');
      }
    }
    mds.start();
    const last = `${folder}/${'e'.repeat(220)}-04200`;
    await eventually('all arrive', () => existsSync(mds.at('sounds', last)), LIMIT);
    await eventually('on Main, too', () => existsSync(main.at('recordings', last)), LIMIT);
    await others('after-the-long.wav');
  });
});
