import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { AsteriskInstance } from './asterisk/instance.ts';
import { fetchAsterisk } from './asterisk/root.ts';

const root = fetchAsterisk();
const USER = '[site](tpl)\nexten = 2,1,NoOp(site)\n';
const TEMPLATE = '[tpl](!)\nexten = 1,1,NoOp(tpl)\n';

describe('What Asterisk reads of a folder is one thing', { skip: root.missing ?? false }, () => {
  let cluster: Cluster;
  let asterisk: AsteriskInstance;
  let mds: Mds;

  before(async () => {
    if (root.missing !== undefined) return;
    cluster = await Cluster.make({ mds: ['mds1'] });
    mds = cluster.one('mds1');
    cluster.main.write('dialplan', '00-tpl.conf', TEMPLATE);
    cluster.main.write('dialplan', '50-site.conf', USER);
    cluster.main.write('dialplan', '99-last.conf', '[last]\nexten = 9,1,NoOp(last)\n');
    await cluster.startMain();
    const folder = path.join(cluster.folder, 'asterisk');
    mkdirSync(folder);
    asterisk = await AsteriskInstance.create(root.folder, folder, { dialplan: mds.at('dialplan') });
    await cluster.enrol(mds, asterisk.command);
    mds.start();
    await cluster.inSync();
    await active('the first plan', 'NoOp(last)');
  });
  after(async () => {
    await asterisk?.stop();
    await cluster?.end();
  });

  const main = (file: string): string => cluster.main.at('dialplan', file);
  const plan = (): Promise<string> => asterisk.cli('dialplan show');
  const active = (what: string, words: string): Promise<void> =>
    eventually(`${what} is active`, async () => (await plan()).includes(words));
  const errors = async (): Promise<string> =>
    (await cluster.statusOf('mds1')).errors.map((error) => `${error.path}: ${error.message}`).join('\n');
  const blocked = async (pattern: RegExp): Promise<void> => {
    await eventually(`${String(pattern)} is said`, async () => pattern.test(await errors()));
    assert.match(await plan(), /NoOp\(last\)/);
    const synced = await cluster.main.run(['sync']);
    assert.equal(synced.code, 1, synced.stdout);
  };
  /** When each reload began, once none is pending: a plan is live before the reload that made it so was proven. */
  const reloads = async (): Promise<string[]> => {
    let reloadsBefore: string[] = [];
    await eventually('no reload is pending', async () => {
      const status = await cluster.statusOf('mds1');
      reloadsBefore = status.reloads.map(({ at }) => at);
      return status.owedReloads.length === 0;
    });
    return reloadsBefore;
  };
  const reloadsSince = async (before: readonly string[]): Promise<number> =>
    (await reloads()).filter((at) => !before.includes(at)).length;

  it('a template that is renamed behind its user is kept out, and both files are named', async () => {
    renameSync(main('00-tpl.conf'), main('90-tpl.conf'));
    await blocked(/00-tpl\.conf: it breaks 50-site\.conf, line 1: The template \[tpl\]/);
    assert.match(await plan(), /NoOp\(site\)/);
    renameSync(main('90-tpl.conf'), main('00-tpl.conf'));
    await cluster.inSync();
  });

  it('a new file and its includer come as one set; the removal of the file is kept out', async () => {
    const parts = `${mds.at('dialplan')}/parts/x.inc`;
    cluster.main.write('dialplan', 'parts/x.inc', ' same = n,NoOp(included)\n');
    cluster.main.write(
      'dialplan',
      '60-parts.conf',
      `[parts]\nexten = 100,1,NoOp(before)\n#include "${parts}"\n same = n,NoOp(second)\n same = n,NoOp(third)\n`,
    );
    await active('the included line', '2. NoOp(included)');
    await active('what follows it', '4. NoOp(third)');
    await cluster.inSync();
    rmSync(main('parts/x.inc'));
    await blocked(/parts\/x\.inc: it breaks 60-parts\.conf, line 3: #include of/);
    cluster.main.write('dialplan', 'parts/x.inc', '[broken\n');
    await blocked(/parts\/x\.inc: line 1: The section header has no closing/);
    cluster.main.write('dialplan', 'parts/x.inc', ' same = n,NoOp(fixed)\n');
    await active('the corrected line', '2. NoOp(fixed)');
    await cluster.inSync();
  });

  it('reloads only for what Asterisk reads', async () => {
    const before = await reloads();
    cluster.main.write('dialplan', '.hidden', '[broken\n');
    cluster.main.write('dialplan', 'unused/x.conf', '[broken\n');
    mkdirSync(main('empty'));
    utimesSync(main('50-site.conf'), 1_000, 1_000);
    await eventually('all is there', () => mds.read('dialplan', 'unused/x.conf') !== undefined);
    await cluster.inSync();
    assert.equal(await reloadsSince(before), 0);
    cluster.main.write('dialplan', '70-read.conf', '[read]\nexten = 7,1,NoOp(seven)\n');
    await active('what is read', 'NoOp(seven)');
    assert.equal(await reloadsSince(before), 1);
  });

  it('an extension that comes from a global is not judged', async () => {
    cluster.main.write(
      'dialplan',
      '71-global.conf',
      '[globals]\nX = 700\n[glob]\nexten = ${X},1,NoOp(from a global)\n same = n,NoOp(g2)\nexten = 700,1,NoOp(hidden)\n',
    );
    await active('it', 'NoOp(from a global)');
    await cluster.inSync();
    assert.equal(await errors(), '');
  });

  it('the first reload after a start is proven like any other', async () => {
    await mds.stop();
    mds.start();
    await cluster.inSync();
    // Before Asterisk was asked where it has its configuration, the section may come from elsewhere.
    cluster.main.write('dialplan', '05-never.conf', '[never](+)\nexten = 5,1,NoOp(never)\n');
    await eventually('the file is named', async () => /05-never\.conf: .*\[?never/.test(await errors()));
    await active('the plan without it', 'NoOp(last)');
    rmSync(main('05-never.conf'));
    await cluster.inSync();
  });

  it('a broken local file is named, its reload is pending, and made once the file is gone', async () => {
    mds.write('dialplan', '01-local.conf', '[broken\n');
    cluster.main.write('dialplan', '72-new.conf', '[new]\nexten = 72,1,NoOp(new)\n');
    await eventually('the guilty file is named', async () => /01-local\.conf: line 1/.test(await errors()));
    const synced = await cluster.main.run(['sync']);
    assert.equal(synced.code, 1, synced.stdout);
    rmSync(mds.at('dialplan', '01-local.conf'));
    await active('the plan', 'NoOp(new)');
    await cluster.inSync();
    assert.equal((await cluster.main.run(['sync'])).code, 0);
  });
});
