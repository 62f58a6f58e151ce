import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { FromAgent } from '#protocol/messages/session.ts';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { HostileMain } from '../support/harness/hostileMain.ts';
import { statusShows } from '../support/harness/statusShows.ts';
import { openFiles, peakMemory } from '../support/harness/resources.ts';

const ENTRIES = 10_000_000;
const CONTENT = Buffer.from('from a hostile Main');
const HASH = createHash('sha256').update(CONTENT).digest('hex');
const OWNER = { owner: 'root', group: 'root', uid: 0, gid: 0 };
const FILE = {
  type: 'file',
  size: CONTENT.length,
  hash: HASH,
  mtime: '1700000000000000000',
  mode: 0o644,
  ...OWNER,
};

void describe('A Main that was taken over', () => {
  let cluster: Cluster;
  let mds: Mds;
  let hostile: HostileMain | undefined;
  let outside: string;

  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
    mds = cluster.one('mds1');
    await cluster.startMain();
    await cluster.main.stop();
    mds.write('moh', 'xds_override.wav', 'an override');
    mds.write('moh', 'local.wav', 'a local file');
    mds.write('dialplan', 'other.conf', '[another directory]\n');
    outside = path.join(cluster.folder, 'outside');
    mkdirSync(outside);
    writeFileSync(path.join(outside, 'kept'), 'kept');
  });
  afterEach(async () => {
    await mds.stop();
    await hostile?.close();
  });
  after(() => cluster.end());

  async function play(onMessage: (hostile: HostileMain, message: FromAgent) => void): Promise<HostileMain> {
    hostile = new HostileMain(cluster.main, (main, message) => {
      if (message.type === 'hello') main.welcome();
      onMessage(main, message);
    });
    await hostile.listen(cluster.port);
    mds.start();
    return hostile;
  }

  /** A manifest of these, and an archive of CONTENT for whatever is asked for. */
  function serve(items: readonly object[], archive = (_count: number): Buffer => Buffer.of(0)) {
    return (main: HostileMain, message: FromAgent): void => {
      if (message.type === 'want-manifest') {
        main.say({ type: 'manifest-begin', directory: 'moh', revision: 1, held: null, root: null });
        main.say({ type: 'manifest-page', directory: 'moh', items });
        main.say({ type: 'manifest-end', directory: 'moh', revision: 1, sequence: 1 });
      } else if (message.type === 'get') {
        main.frame(message.stream, archive(message.items.length));
        main.end(message.stream);
      }
    };
  }

  void it('can name no path outside its directories, and touch no override and no local file', async () => {
    const settled = (entry: object): object => ({ kind: 'settled', entry });
    const link = (target: string): object => settled({ type: 'link', target, ...OWNER });
    const paths = [
      '../outside/evil',
      '../../outside/evil',
      '/tmp/xds-evil',
      'a/../../evil',
      'nul\0',
      '.xivo-xds-sync/trash',
      'xds_override.wav',
      'sub/xds_override/x',
      '../dialplan',
    ];
    await play(
      serve([
        ...paths.map((each) => ({ path: each, shown: settled(FILE) })),
        { path: 'out', shown: link('../../../../../outside') },
        { path: 'out/through', shown: settled(FILE) },
        { path: 'in', shown: link('folder') },
        { path: 'in/through', shown: settled(FILE) },
        { path: 'xds_override.wav', shown: { kind: 'gone', tombstone: FILE } },
        { path: 'local.wav', shown: { kind: 'gone', tombstone: FILE } },
        { path: '../dialplan/other.conf', shown: { kind: 'gone', tombstone: FILE } },
      ]),
    );
    await eventually('the agent made what may be', () => readdirSync(mds.at('moh')).includes('in'));
    assert.deepEqual(readdirSync(outside), ['kept']);
    assert.equal(existsSync('/tmp/xds-evil'), false);
    assert.equal(mds.read('moh', 'xds_override.wav'), 'an override');
    assert.equal(mds.read('moh', 'local.wav'), 'a local file');
    assert.equal(mds.read('dialplan', 'other.conf'), '[another directory]\n');
    assert.deepEqual(
      readdirSync(mds.at('moh'))
        .filter((name) => name !== '.xivo-xds-sync')
        .toSorted((a, b) => (a < b ? -1 : 1)),
      ['in', 'local.wav', 'xds_override.wav'],
    );
  });

  void it('that sends another content than it announced puts nothing there', async () => {
    await play(
      serve(
        [{ path: 'lie.wav', shown: { kind: 'settled', entry: { ...FILE, hash: 'ab'.repeat(32) } } }],
        () => {
          const header = Buffer.alloc(512);
          header.write('0', 0);
          header.write('0000644\x000000000\x000000000\x00', 100, 'latin1');
          header.write(`${CONTENT.length.toString(8).padStart(11, '0')}\x0000000000000\x00`, 124, 'latin1');
          header.write('0', 156);
          header.write('ustar\x0000', 257, 'latin1');
          header.fill(' ', 148, 156);
          const sum = header.reduce((total, byte) => total + byte, 0);
          header.write(`${sum.toString(8).padStart(6, '0')}\x00 `, 148, 'latin1');
          return Buffer.concat([
            Buffer.of(0),
            header,
            CONTENT,
            Buffer.alloc(512 - CONTENT.length),
            Buffer.alloc(1024),
          ]);
        },
      ),
    );
    await eventually('it was asked for', () => hostile?.received.some(({ type }) => type === 'get') === true);
    await statusShows(mds, /^1: /, { hint: /"pending":1/, code: 1 });
    assert.equal(existsSync(mds.at('moh', 'lie.wav')), false);
  });

  void it(`with a manifest of ${ENTRIES} entries is cut off, with a reason, at a bounded price`, async () => {
    let sent = 0;
    const shown = JSON.stringify({ kind: 'settled', entry: FILE });
    await play((main, message) => {
      if (message.type !== 'want-manifest') return;
      void (async () => {
        main.say({ type: 'manifest-begin', directory: 'moh', revision: 1, held: null, root: null });
        for (; sent < ENTRIES && main.isOpen; sent += 4_000) {
          const items = Array.from({ length: 4_000 }, (_, i) => `{"path":"f/${sent + i}","shown":${shown}}`);
          await main.sayAndWait(`{"type":"manifest-page","directory":"moh","items":[${items.join(',')}]}`);
        }
      })();
    });
    await eventually(
      'the agent ended it',
      () => hostile?.endings.some((reason) => reason.includes('too many entries')) === true,
      300_000,
    ).catch((error: Error) =>
      assert.fail(`${error.message}; sent ${sent}; ended with ${hostile?.endings.join(', ')}`),
    );
    const pid = mds.pid ?? 0;
    console.log(
      `# a manifest without end: cut off after ${sent} entries; the agent's peak memory ${Math.round(peakMemory(pid))} MiB, ${openFiles(pid)} files open`,
    );
    assert.ok(sent < 1_200_000, `${sent}`);
    assert.ok(peakMemory(pid) < 2_500);
    assert.ok(mds.isRunning);
  });

  void it('that speaks out of turn is cut off with a reason', async () => {
    await play((main, message) => {
      if (message.type !== 'hello') return;
      const nonsense: object[] = [
        { type: 'manifest-end', directory: 'moh', revision: 1, sequence: 1 },
        { type: 'obey' },
        { type: 'welcome' },
        { type: 'manifest-page', directory: 'moh', items: [] },
      ];
      main.say(nonsense[(main.connections - 1) % nonsense.length] ?? {});
    });
    await eventually(
      'four times',
      () => (hostile?.endings.filter((reason) => reason.startsWith('protocol violation')).length ?? 0) >= 4,
      60_000,
    );
    assert.ok(mds.isRunning);
    assert.match(mds.log, /protocol violation/);
  });

  void it('that accepts a connection and says no more is left after 10 s, and asked again', async () => {
    hostile = new HostileMain(cluster.main, () => undefined);
    hostile.letsIn = false;
    await hostile.listen(cluster.port);
    mds.start();
    await eventually('it asks again', () => (hostile?.asked ?? 0) >= 2, 60_000);
    assert.match(mds.log, /Main can not be reached reason="no answer from .* within 10 s"/);
  });
});
