import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as z from 'zod';
import { agentDocuments } from '../../agent/cli/json.ts';
import { mainDocuments } from '../../controller/cli/json.ts';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';

const DOCS = path.resolve(import.meta.dirname, '../../docs/json');

/** A published schema, but for names: what it does not name is an offence here. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const all = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  return 'properties' in all ? { ...all, additionalProperties: false } : all;
}

describe('What commands print with --json is as docs/json says', () => {
  let cluster: Cluster;
  const seen = { main: new Set<string>(), agent: new Set<string>() };
  before(async () => {
    cluster = await Cluster.start();
    cluster.main.write('dialplan', 'a.conf', '[a]\nexten => 1,1,NoOp(old)\n');
    cluster.main.write('moh', 'default/a.wav', 'a');
    for (const mds of cluster.mds)
      await eventually(
        `${mds.name} has both`,
        () => mds.read('dialplan', 'a.conf') !== undefined && mds.read('moh', 'default/a.wav') !== undefined,
      );
    cluster.main.write('dialplan', 'a.conf', '[a]\nexten => 1,1,NoOp(new)\n');
    await eventually('mds1 has the new one', () =>
      Boolean(cluster.one('mds1').read('dialplan', 'a.conf')?.includes('new')),
    );
    cluster.one('mds1').write('dialplan', 'a.conf', '[a]\nexten => 1,1,NoOp(edited)\n');
    cluster.one('mds1').write('moh', 'local.wav', 'local');
    await eventually('the edit is undone', () =>
      Boolean(cluster.one('mds1').read('dialplan', 'a.conf')?.includes('new')),
    );
    await cluster.inSync();
  });
  after(() => cluster.end());

  /**
   * Runs a command as a program, as many other tests don't, and checks what it prints.
   * @param command its words, as docs/json names the file
   */
  async function prints(
    host: Host,
    command: string,
    more: readonly string[] = [],
  ): Promise<Record<string, unknown>> {
    const program = host.program;
    (program === 'xivo-xds-sync' ? seen.main : seen.agent).add(command);
    const ran = await host.run([...command.split(' '), ...more, '--json'], { asProgram: true });
    const file = path.join(DOCS, program, `${command.replaceAll(' ', '-')}.json`);
    const published: unknown = JSON.parse(readFileSync(file, 'utf8'));
    let printed: unknown;
    try {
      printed = JSON.parse(ran.stdout);
    } catch {
      assert.fail(`${command} ${more.join(' ')} ended with ${ran.code}: ${ran.stdout}${ran.stderr}`);
    }
    const { success, error } = z
      .fromJSONSchema(strict(published) as Parameters<typeof z.fromJSONSchema>[0])
      .safeParse(printed);
    assert.ok(success, `${command} ${more.join(' ')}: ${error?.message}\n${ran.stdout.slice(0, 2_000)}`);
    return printed as Record<string, unknown>;
  }

  it('on Main', async () => {
    const { main } = cluster;
    await prints(main, 'init', ['--no-service']);
    await prints(main, 'status');
    await prints(main, 'status', ['--check']);
    await prints(main, 'sync');
    await prints(main, 'sync', ['-n']);
    await prints(main, 'verify');
    await prints(main, 'why', ['moh/default/a.wav']);
    await prints(main, 'confirm', ['moh']);
    await prints(main, 'history');
    await prints(main, 'trash list');
    await prints(main, 'diff', ['mds1', 'dialplan/a.conf']);
    await prints(main, 'adopt', ['mds1', 'moh/local.wav', '-n']);
    await prints(main, 'prune', ['mds1', '-n']);
    await prints(main, 'revert', ['mds1', 'dialplan/a.conf', '-n']);
    await prints(main, 'mds list', ['--all']);
    await prints(main, 'mds upgrade', ['--all']);
    await prints(main, 'pause', ['--for', '1m']);
    await prints(main, 'resume');
    await prints(main, 'rotate-identity');
    await prints(main, 'rotate-identity', ['--abandon']);
    await prints(main, 'check-config');
    await prints(main, 'doctor');
    await prints(main, 'migrate', ['--compare']);
    const { entries } = z
      .object({ entries: z.array(z.object({ changeSet: z.string(), kind: z.string() })) })
      .parse(await prints(main, 'history', ['--directory', 'dialplan']));
    await prints(main, 'rollback', [entries.find(({ kind }) => kind === 'send')?.changeSet ?? '', '-n']);
    await prints(main, 'trash restore', ['dialplan/a.conf', '--from', 'mds1', '--as', 'dialplan/b.conf']);
    await prints(main, 'trash restore', ['dialplan/a.conf', '--from', 'mds1', '--to-main', '-n']);
    const backup = path.join(cluster.folder, 'main.backup');
    await prints(main, 'backup', [backup]);
  });

  it('on Main, of MDS that connect and disconnect', async () => {
    const { main } = cluster;
    await prints(main, 'mds add', ['mds3']);
    const host = cluster.addHost('mds3');
    await prints(host, 'enroll', ['--main', `127.0.0.1:${cluster.port}`, '--name', 'mds3']);
    await prints(main, 'mds approve', ['mds3']);
    await prints(main, 'mds remove', ['mds3']);
    await prints(main, 'mds forget', ['mds3']);
  });

  it('on an MDS', async () => {
    const mds = cluster.one('mds1');
    await prints(mds, 'status');
    await prints(mds, 'history');
    const { items } = z
      .object({ items: z.array(z.object({ id: z.string() })) })
      .parse(await prints(mds, 'trash list'));
    await prints(mds, 'trash restore', [items[0]?.id ?? '', '--as', 'dialplan/xds_override_a.conf']);
    await prints(mds, 'why', ['moh/local.wav']);
    await prints(mds, 'diff', ['dialplan/a.conf']);
    await prints(mds, 'doctor');
    await prints(mds, 'check-config');
    await prints(mds, 'trust-main');
    await mds.stop();
    await prints(mds, 'leave');
  });

  it('on a Main that is restored or goes back to the old job, and so on all commands', async () => {
    const { main } = cluster;
    const cron = path.join(main.root, 'etc/cron.d/xivo-xds-sync');
    mkdirSync(path.dirname(cron), { recursive: true });
    writeFileSync(`${cron}.retired`, '');
    await prints(main, 'migrate', ['--back', '-n']);
    await main.stop();
    await prints(main, 'restore', [path.join(cluster.folder, 'main.backup')]);
    assert.deepEqual([...seen.main].toSorted(), [...mainDocuments().keys()].toSorted());
    assert.deepEqual([...seen.agent].toSorted(), [...agentDocuments().keys()].toSorted());
  });
});
