import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { shellWords } from '#core/text/shellWords.ts';
import { commandsIn, PAGES, textOf } from '../support/docs/documentedCommands.ts';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually, type Ran } from '../support/harness/host.ts';
import { statusShows } from '../support/harness/statusShows.ts';

/** A save's id, as the pages print it. */
const ID = '20261124T171320570Z-8fcb92570';

/** What the pages name that can't be run here, and which test runs it. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'xivo-xds-sync serve': 'every test of a process starts it, this one too',
  'xivo-xds-sync-agent run': 'every test of a process starts it, this one too',
  'xivo-xds-sync --log json serve': 'test/process/syslog.test.ts',
  'npm ci': 'brings what this test runs on; .ci/run begins with it',
  'npm run demo': 'test/process/demo.test.ts',
  'npm test': 'is this run; .ci/run calls it',
  'npm test -- check unit': 'is a part of "npm test"',
  'npm test -- mainJob': 'is a part of "npm test"',
  'npm run check': 'is a part of "npm test"',
  'npm run test:lab': '.ci/run calls it',
  'npm run test:nightly': 'takes a night',
  'npm run soak -- --minutes 30 --seed 7': 'takes half an hour; test/process/soak.test.ts',
  'npm run bench': 'takes the machine for itself, and other programs to measure beside',
  'apt-get install rsync openssh-server lsyncd syncthing unison strace': 'installs packages; .ci/run does',
  'apt-get install asterisk-core-sounds-en-wav asterisk-moh-opsound-wav': 'installs packages; .ci/run does',
  'ln -s "$PWD/bin/xivo-xds-sync" "$PWD/bin/xivo-xds-sync-agent" /usr/bin/': 'writes into /usr/bin',
  'cp install/xivo-xds-sync.service /etc/systemd/system/': 'writes into /etc; test/lab/systemd.test.ts',
  'systemctl reload xivo-xds-sync': 'needs systemd; test/lab/systemd.test.ts',
  'systemctl restart xivo-xds-sync': 'needs systemd; test/lab/systemd.test.ts',
  'grep xivo-xds-sync /var/log/syslog':
    'needs a syslog of its own; test/process/syslog.test.ts and test/lab/debian.test.ts',
  'install/mds_install.sh --main MAIN_ADDRESS': 'test/process/install.test.ts and test/lab/debian.test.ts',
  'install/mds_install.sh --main MAIN_ADDRESS --token-file /root/token': 'test/process/install.test.ts',
  'dpkg --install xivo-xds-sync_VERSION_amd64.deb': 'installs a package; test/lab/debian.test.ts',
  "wget --no-check-certificate --pinnedpubkey='sha256//…' -O mds_install.sh https://MAIN:9443/install/mds_install.sh":
    'test/lab/debian.test.ts',
  'sh mds_install.sh --main MAIN:9443': 'test/lab/debian.test.ts',
  '/usr/share/xivo-xds-sync-agent/mds_install.sh --old-key': 'needs the package; test/lab/oldJob.test.ts',
  'ssh -L 9444:127.0.0.1:9444 root@main': 'needs another machine',
  'cp /etc/asterisk/extensions_extra.d/trunk.conf /etc/asterisk/extensions_extra.d/xds_override_trunk.conf':
    'is no program of this project; what follows from it: test/process/overrideFolder.test.ts',
};

const dialplan = (version: number): string => `[trunk]\nexten = 1,1,NoOp(version ${version})\n`;

describe('Every command that the pages name', () => {
  let cluster: Cluster;
  const typed = new Set<string>();
  before(async () => {
    cluster = await Cluster.make({ config: 'settle: 100ms\n' });
  });
  after(() => cluster.end());

  /**
   * Runs a command as a page has it, on the host that it is for.
   * @param code the exit code that it has to end with
   * @param as what stands on the page for something that only exists here, and what it is here
   */
  async function type(line: string, code = 0, as: Readonly<Record<string, string>> = {}): Promise<Ran> {
    typed.add(line);
    const [program, ...words] = shellWords(line).map((word) => as[word] ?? word);
    const host = program === 'xivo-xds-sync' ? cluster.main : cluster.one('mds1');
    const ran = await host.run(words);
    assert.equal(ran.code, code, `${line}: ${ran.stdout}${ran.stderr}`);
    return ran;
  }

  /** Puts something into a file of Main's, and waits until both MDS have it. */
  async function save(directory: 'dialplan' | 'moh', file: string, content: string): Promise<void> {
    cluster.main.write(directory, file, content);
    for (const mds of cluster.mds)
      await eventually(`${mds.name} has ${file}`, () => mds.read(directory, file) === content);
    await cluster.inSync();
  }

  it('from the old job: making Main, letting both MDS in, comparing, and the switch', async () => {
    const { main } = cluster;
    const [mds1, mds2] = [cluster.one('mds1'), cluster.one('mds2')];
    const cron = path.join(main.root, 'etc/cron.d/xivo-xds-sync');
    mkdirSync(path.dirname(cron), { recursive: true });
    writeFileSync(cron, '*/15 * * * * root rsync\n');
    main.write('dialplan', 'trunk.conf', dialplan(1));
    for (const file of ['new.wav', 'old.wav']) main.write('moh', `default/${file}`, file);
    for (const file of ['song.wav', 'other.wav']) main.write('moh', `album/${file}`, file);
    mds1.write('moh', 'old/forgotten.wav', 'local');

    await type('xivo-xds-sync --help');
    await type('xivo-xds-sync-agent --help');
    assert.match((await type('xivo-xds-sync --version')).stdout, /^\d+\.\d+\.\d+\n$/);
    await type('xivo-xds-sync -i --keep-cron');
    await cluster.startMain();

    assert.match((await type('xivo-xds-sync mds add mds1')).stdout, /^\S+\n$/, 'the token alone');
    const asked = mds1.typed(['enroll', '--main', `127.0.0.1:${cluster.port}`, '--name', 'mds1']);
    await eventually('mds1 waits', async () => (await cluster.status()).mds[0]?.state === 'pending');
    await type('xivo-xds-sync mds approve mds1');
    assert.equal(await asked.ended, '');
    const start = (mds: Mds): void => {
      const config = path.join(mds.root, 'etc/xivo-xds-sync/agent.yml');
      appendFileSync(config, `\nasterisk: "${mds.asterisk.script}"\n`);
      mds.start();
    };
    start(mds1);
    const token = await type('xivo-xds-sync mds add NAME', 0, { NAME: 'mds2' });
    await mds2.ok(['enroll', '--main', `127.0.0.1:${cluster.port}`, '--token-file', '-'], token.stdout);
    start(mds2);
    await eventually('both are connected', async () =>
      (await cluster.status()).mds.every(({ state }) => state === 'connected'),
    );
    const { stdout } = await type('xivo-xds-sync migrate --compare', 0);
    assert.match(stdout, /trunk\.conf[^]*old\/forgotten\.wav/);
    await type('xivo-xds-sync resume');
    await cluster.inSync();
    assert.ok(!existsSync(cron));
    await type('xivo-xds-sync migrate --back');
    assert.ok(existsSync(cron));
    await type('xivo-xds-sync -i');
    assert.ok(existsSync(cron), 'nothing else synchronises until "resume"');
    await type('xivo-xds-sync resume');
    assert.ok(!existsSync(cron));
    await cluster.inSync();
  });

  it('how it is', async () => {
    await type('xivo-xds-sync status');
    await type('xivo-xds-sync status --json');
    await type('xivo-xds-sync -n');
    await type('xivo-xds-sync');
    await type('xivo-xds-sync sync');
    await type('xivo-xds-sync verify');
    await type('xivo-xds-sync mds list');
    await type('xivo-xds-sync mds upgrade --all');
    await type('xivo-xds-sync mds upgrade mds1');
    await type('xivo-xds-sync mds upgrade', 2);
    await type('xivo-xds-sync check-config');
    await type('xivo-xds-sync pause --for 30m');
    await type('xivo-xds-sync resume');
    await type('xivo-xds-sync why PATH', 0, { PATH: 'dialplan/trunk.conf' });
    assert.match((await type('xivo-xds-sync why /var/lib/xivo/moh/default/new.wav')).stdout, /mds1[^]*mds2/);
    await type('xivo-xds-sync-agent status');
    await type('xivo-xds-sync-agent why dialplan/trunk.conf');
    await type('xivo-xds-sync doctor');
    await type('xivo-xds-sync-agent doctor');
  });

  it('what was done, and undoing it', async () => {
    await save('dialplan', 'trunk.conf', dialplan(2));
    const { stdout } = await type('xivo-xds-sync history --limit 20');
    await type('xivo-xds-sync history');
    await type('xivo-xds-sync history --mds NAME', 0, { NAME: 'mds1' });
    await type('xivo-xds-sync history --since 2026-11-24 --until 2026-11-25');
    assert.match((await type('xivo-xds-sync-agent history --since 2h')).stdout, /trunk\.conf/);
    const id = /dialplan +watcher +\((\S+)\)/.exec(stdout)?.[1];
    assert.ok(id, stdout);
    const dryRun = async (): Promise<boolean> => (await cluster.main.run(['rollback', id, '-n'])).code === 0;
    await eventually('the older version is kept', dryRun);
    await type(`xivo-xds-sync rollback ${ID} -n`, 0, { [ID]: id });
    await type(`xivo-xds-sync rollback ${ID}`, 0, { [ID]: id });
    assert.equal(cluster.main.read('dialplan', 'trunk.conf'), dialplan(1));
    for (const mds of cluster.mds)
      await eventually('it is back there', () => mds.read('dialplan', 'trunk.conf') === dialplan(1));
    await cluster.inSync();
  });

  it('what an MDS has otherwise', async () => {
    const mds1 = cluster.one('mds1');
    await cluster.undoes(mds1, 'dialplan/trunk.conf', () =>
      mds1.write('dialplan', 'trunk.conf', dialplan(3)),
    );
    await type('xivo-xds-sync diff mds1');
    assert.match((await type('xivo-xds-sync diff mds1 dialplan/trunk.conf')).stdout, /^\+.*version 3/m);
    await type('xivo-xds-sync-agent diff');
    await type('xivo-xds-sync-agent diff dialplan/trunk.conf');
    await type('xivo-xds-sync-agent trash list');
    await type('xivo-xds-sync-agent trash restore dialplan/trunk.conf --as dialplan/xds_override_trunk.conf');
    assert.equal(mds1.read('dialplan', 'xds_override_trunk.conf'), dialplan(3));
    await type('xivo-xds-sync adopt mds1 dialplan/trunk.conf -n');
    await type('xivo-xds-sync adopt mds1 dialplan/trunk.conf');
    assert.equal(cluster.main.read('dialplan', 'trunk.conf'), dialplan(3));
    await type('xivo-xds-sync revert mds1 dialplan/trunk.conf');
    await type('xivo-xds-sync prune mds1 -n');
    await type('xivo-xds-sync prune mds1 moh/old --yes');
    assert.equal(mds1.read('moh', 'old/forgotten.wav'), undefined);
  });

  it('what is gone, and on hold', async () => {
    const { main } = cluster;
    const [mds1, mds2] = [cluster.one('mds1'), cluster.one('mds2')];
    main.write('recordings', '100-1.wav', 'recorded');
    await eventually('mds1 has the call', () => mds1.read('recordings', '100-1.wav') === 'recorded');
    await save('moh', 'default/old.wav', 'old');
    rmSync(main.at('moh', 'default/old.wav'));
    rmSync(main.at('moh', 'album'), { recursive: true });
    for (const mds of [mds1, mds2])
      for (const file of ['album', 'default/old.wav'])
        await eventually(`${file} is gone`, () => !existsSync(mds.at('moh', file)));
    await cluster.inSync();
    await type('xivo-xds-sync trash list');
    await type('xivo-xds-sync trash restore moh/album/song.wav --from mds1 --to-main');
    await type('xivo-xds-sync trash restore /var/lib/xivo/moh/album -n');
    await type('xivo-xds-sync trash restore /var/lib/xivo/moh/album');
    assert.equal(main.read('moh', 'album/other.wav'), 'other.wav');
    await type('xivo-xds-sync trash restore moh/default/old.wav --mds mds1 --as moh/default/found.wav');
    assert.equal(mds1.read('moh', 'default/found.wav'), 'old');
    await type('xivo-xds-sync trash restore moh/default/old.wav --from mds1 --to-main');
    assert.equal(main.read('moh', 'default/old.wav'), 'old');
    const { stdout } = await type('xivo-xds-sync trash restore moh --at yesterday');
    assert.match(stdout, /restored as of \d{4}-\d\d-\d\d 00:00:00 /, 'local time');
    rmSync(mds1.at('recordings', '100-1.wav'));
    await type('xivo-xds-sync trash restore recordings/100-1.wav', 1);

    await type('xivo-xds-sync confirm DIRECTORY', 1, { DIRECTORY: 'moh' });
    await type('xivo-xds-sync confirm moh --mds mds1', 1);
    // Another directory stands where it was: nothing is removed anywhere until that is confirmed.
    renameSync(main.at('moh'), path.join(main.root, 'away'));
    mkdirSync(main.at('moh'));
    await statusShows(main, /xivo-xds-sync confirm moh/, { hint: /"held":"/ });
    await type('xivo-xds-sync confirm moh -n');
    assert.equal(mds1.read('moh', 'album/song.wav'), 'song.wav');
    await type('xivo-xds-sync confirm moh');
    await eventually('it has gone', () => mds1.read('moh', 'album/song.wav') === undefined);
    await cluster.inSync();
  });

  it('keys, other machines, and what goes with them', async () => {
    const { main } = cluster;
    await type('xivo-xds-sync rotate-identity');
    await eventually(
      'both know it',
      async () => (await main.run(['rotate-identity', '--finish'])).code === 0,
    );
    typed.add('xivo-xds-sync rotate-identity --finish');
    const file = path.join(cluster.folder, 'main.backup');
    await type('xivo-xds-sync backup FILE', 0, { FILE: file });
    await main.stop();
    await type('xivo-xds-sync restore FILE', 0, { FILE: file });
    await cluster.startMain();
    await type('xivo-xds-sync mds add mds3 --voip-ip 10.0.0.13');
    await type('xivo-xds-sync mds add mds2 --replace');
    await type('xivo-xds-sync mds add NAME --replace', 0, { NAME: 'mds2' });
    await type('xivo-xds-sync mds remove mds2');
    await type('xivo-xds-sync mds forget mds2');
    await type('xivo-xds-sync mds remove NAME', 0, { NAME: 'mds3' });
    await cluster.one('mds1').stop();
    await type('xivo-xds-sync-agent leave');
    assert.match((await main.run(['mds', 'remove', 'mds1'])).stderr, /mds1 was removed already/);
  });

  it('was typed here, or a test elsewhere runs it', () => {
    const named = PAGES.flatMap((page) => {
      const { commands, others } = commandsIn(textOf(page));
      return [...commands, ...others].map((command) => [command, page] as const);
    });
    for (const [command, page] of named)
      assert.ok(typed.has(command) || command in ELSEWHERE, `no test runs what ${page} names: ${command}`);
    const known = new Set(named.map(([command]) => command));
    for (const command of [...typed, ...Object.keys(ELSEWHERE)])
      assert.ok(known.has(command), `no page names it any more: ${command}`);
    for (const reason of Object.values(ELSEWHERE))
      for (const [file] of reason.matchAll(/test\/\w+\/\w+\.test\.ts/g))
        assert.ok(existsSync(path.join(import.meta.dirname, '../..', file)), `there is no ${file}`);
  });
});
