import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silence } from './asterisk/silence.ts';
import { AGENT, Site } from './debian/site.ts';
import { becomeXivo, configureAsterisk, handOver } from './debian/xivo.ts';

/** The agent behind all the walls of its unit, and beside it a real Asterisk: its own user, its own unit, a XiVO's settings. */

const DIALPLAN = '/etc/asterisk/extensions_extra.d';
// Where the links of a XiVO lead.
const MUSIC = '/var/lib/asterisk/moh/default';
const RECORDINGS = '/var/lib/asterisk/sounds/custom';

const SET_FILES = 200;
/** How often Main goes from one consistent dialplan to the other. */
const SETS = 5;

/** Lint lets through what Asterisk is to refuse. */
const SETTINGS = `directories:
  - { name: dialplan, lint: warn }
  - { name: moh }
  - { name: sounds }
  - { name: recordings }
`;

/** Reloads by hand without end, and writes down how many extensions of which version are active each time. */
const BY_HAND = `while asterisk -rx "dialplan reload" > /dev/null; do
  echo $(asterisk -rx "dialplan show whole" | grep -o "version v[0-9]*" | sort | uniq -c) >> /root/seen
done`;

const booted = await Site.boot({ release: 'bullseye', asterisk: true });

describe('Beside a real Asterisk under systemd', { skip: typeof booted === 'string' && booted }, () => {
  if (typeof booted === 'string') return;
  const site = booted;
  const { main, mds } = site;

  before(
    async () => {
      becomeXivo(main);
      becomeXivo(mds);
      configureAsterisk(mds);
      put(DIALPLAN, { 'lab.conf': '[lab]\nexten = 1,1,NoOp(first)\n' });
      await site.startMain(SETTINGS);
    },
    { timeout: 300_000 },
  );
  after(() => site.end());

  /** Puts files into a folder of Main, all at a time, as a XiVO's own. */
  function put(folder: string, files: Readonly<Record<string, string | Buffer>>): void {
    for (const [name, content] of Object.entries(files)) main.write(`/root/new/${name}`, content);
    main.ok(`cd /root/new && chown asterisk:www-data * && chmod 660 * && mv * ${folder}`);
  }

  /** What Asterisk answers to the root of the MDS. */
  function cli(line: string): string {
    return mds.run(`asterisk -rx '${line}'`).stdout;
  }

  async function active(context: string, words: string): Promise<void> {
    await site.until(`${words} is active`, () => cli(`dialplan show ${context}`).includes(words));
  }

  /** How often the agent said that Asterisk had reloaded the dialplan. */
  function reloads(): number {
    return site.journal('all').match(/Asterisk reloaded kind=dialplan/g)?.length ?? 0;
  }

  function ownerOf(file: string): string {
    return mds.ok(`stat --format '%U:%G %a' '${file}'`).trim();
  }

  it('a change on Main is active in Asterisk, and belongs to asterisk', async () => {
    await site.join();
    await active('lab', 'NoOp(first)');
    put(DIALPLAN, { 'new.conf': '[new]\nexten = 7,1,NoOp(new)\n' });
    put(MUSIC, { 'new.wav': silence() });
    await active('new', 'NoOp(new)');
    await site.until('the music is known', () => cli('moh show files').includes(`${MUSIC}/new`));
    for (const file of [`${DIALPLAN}/new.conf`, `${MUSIC}/new.wav`])
      assert.equal(ownerOf(file), 'asterisk:www-data 660');
    await site.inSync();
  });

  it('recordings go both ways, through the links of a XiVO', async () => {
    put(RECORDINGS, { 'main.wav': silence() });
    mds.write(`${RECORDINGS}/mds.wav`, silence());
    mds.ok(`chown asterisk:www-data ${RECORDINGS}/mds.wav`);
    await site.until('both have both', () =>
      [main, mds].every((each) => ['main.wav', 'mds.wav'].every((name) => each.has(`${RECORDINGS}/${name}`))),
    );
    assert.equal(ownerOf(`${RECORDINGS}/main.wav`), 'asterisk:www-data 660');
    await site.inSync();
  });

  it('a dialplan that Asterisk refuses is reverted, and Main shows the place and the message', async () => {
    put(DIALPLAN, {
      'bad.conf': '[bad]\nexten = 1,1,NoOp()\n[cut\nexten = 2,1,NoOp()\n',
      'new.conf': '[new]\nexten = 7,1,NoOp(came along)\n',
    });
    const refusal = (): string =>
      site.status()?.errors.find(({ message }) => message.includes('Asterisk refused'))?.message ?? '';
    await site.until('the refusal is reported', () => refusal() !== '');
    assert.match(refusal(), /bad\.conf, line 3: parse error: no closing '\]'/);
    assert.equal(mds.has(`${DIALPLAN}/bad.conf`), false);
    assert.match(cli('dialplan show new'), /NoOp\(new\)/);
    main.ok(`rm ${DIALPLAN}/bad.conf`);
    await active('new', 'NoOp(came along)');
    await site.inSync();
  });

  it('a change set waits for a reader of the dialplan', async () => {
    // As a reload does that has not come to the end of its includes.
    mds.ok(
      "systemd-run --unit reader sh -c 'exec 3< /etc/asterisk/extensions.conf; exec sleep infinity' && sleep 1",
    );
    put(DIALPLAN, { 'new.conf': '[new]\nexten = 7,1,NoOp(waited)\n' });
    await sleep(2_000);
    assert.match(mds.read(`${DIALPLAN}/new.conf`), /came along/);
    mds.ok('systemctl stop reader');
    await active('new', 'NoOp(waited)');
    await site.inSync();
  });

  it(`a set of ${SET_FILES} files is never seen half applied by reloads by hand`, async (t) => {
    const putSet = async (version: string): Promise<void> => {
      const files = Array.from({ length: SET_FILES }, (_, i): [string, string] => [
        `f${i}.conf`,
        `[whole]\nexten = ${1000 + i},1,NoOp(version ${version})\n`,
      ]);
      put(DIALPLAN, Object.fromEntries(files));
      await site.until(
        `set ${version} is active`,
        () => cli('dialplan show whole').split(`(version ${version})`).length === SET_FILES + 1,
      );
    };
    await putSet('v0');
    mds.ok(`systemd-run --unit by-hand sh -c '${BY_HAND}'`);
    const isSeen = (version: string): Promise<void> =>
      site.until(
        `set ${version} was seen`,
        () => mds.has('/root/seen') && mds.read('/root/seen').includes(version),
      );
    await isSeen('v0');
    for (let set = 1; set <= SETS; set++) {
      await putSet(`v${set}`);
      await isSeen(`v${set}`);
    }
    mds.ok('systemctl stop by-hand');
    const seen = mds.read('/root/seen').trim().split('\n');
    t.diagnostic(`${seen.length} reloads by hand while ${SETS} sets of ${SET_FILES} files were applied`);
    // Our reload and one by hand at a time make Asterisk drop a line now and then: another matter.
    const versions = seen.map((line) => new Set(line.match(/v\d+/g)));
    assert.deepEqual(
      seen.filter((_, i) => versions[i]?.size !== 1),
      [],
    );
    assert.equal(new Set(versions.flatMap((each) => [...each])).size, SETS + 1);
    await site.inSync();
  });

  it('an Asterisk that was restarted while a reload was pending gets it once', async () => {
    const before = reloads();
    mds.ok('systemctl stop asterisk');
    put(DIALPLAN, { 'new.conf': '[new]\nexten = 7,1,NoOp(pending)\n' });
    await site.until('it is pending', () => site.status()?.owedReloads.includes('dialplan') === true);
    mds.ok('systemctl restart asterisk');
    await active('new', 'NoOp(pending)');
    await site.until('nothing is pending', () => site.status()?.owedReloads.length === 0);
    await site.inSync();
    await site.until('the journal has it', () => reloads() > before);
    await sleep(2_000);
    assert.equal(reloads() - before, 1);
  });

  it('an Asterisk whose configuration names its group is reached once the unit lets it be', async () => {
    mds.ok("sed -i 's/^quiet = yes/&\\nrungroup = asterisk/' /etc/asterisk/asterisk.conf");
    put(DIALPLAN, { 'new.conf': '[new]\nexten = 7,1,NoOp(its group)\n' });
    const last = (): string => site.status()?.reloads.at(-1)?.output ?? '';
    await site.until('the remedy is reported', () => last().includes('CapabilityBoundingSet=CAP_SETGID'));
    mds.write(
      `/etc/systemd/system/${AGENT}.service.d/override.conf`,
      '[Service]\nCapabilityBoundingSet=CAP_SETGID\n',
    );
    mds.ok(`systemctl daemon-reload; systemctl restart ${AGENT}`);
    await active('new', 'NoOp(its group)');
    await site.inSync();
    mds.ok(`rm -r /etc/systemd/system/${AGENT}.service.d && sed -i /^rungroup/d /etc/asterisk/asterisk.conf`);
    mds.ok(`systemctl daemon-reload; systemctl restart ${AGENT}`);
    await site.inSync();
  });

  it('what XiVO does to our own folders at its upgrades stops nothing', async () => {
    mds.ok(handOver);
    put(MUSIC, { 'after.wav': silence() });
    await site.until('the music is known', () => cli('moh show files').includes(`${MUSIC}/after`));
    await site.inSync();
  });

  it('nothing was denied to the agent in all this, and its sandbox is as strict as documented', (t) => {
    const said = site.journal('all');
    assert.doesNotMatch(
      said,
      /\bE(?:PERM|ACCES|ROFS|AFNOSUPPORT)|SIGSYS|seccomp|denied|not permitted|read-only/i,
    );
    assert.doesNotMatch(said, /a reload by hand may see half|could not be checked|is not ready/);
    assert.equal(mds.ok('grep xivo-xds-sync /var/log/syslog').trim().split('\n').length > 10, true);
    const exposure = mds.ok(`systemd-analyze security --no-pager ${AGENT}`).trim().split('\n').at(-1) ?? '';
    t.diagnostic(exposure);
    assert.ok(Number(/: (\d+\.\d)/.exec(exposure)?.[1]) <= 2.3, exposure);
  });
});
