import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import zlib from 'node:zlib';
import { Cluster, type Mds } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { HELLO, HostileAgent } from '../support/harness/hostileAgent.ts';
import { openFiles, peakMemory } from '../support/harness/resources.ts';

const QUOTA = 2 * 1024 * 1024;
/** What Main may hold at most beyond what it held before an attack, MiB. */
const MEMORY_ALLOWANCE = 400;

const CONFIG = `directories:
  - { name: dialplan }
  - { name: moh }
  - { name: sounds }
  - { name: recordings, settle: 100ms, maxBytes: ${QUOTA} }
`;

function entryOf(content: Uint8Array, more: object = {}): object {
  const hash = createHash('sha256').update(content).digest('hex');
  return {
    type: 'file',
    size: content.length,
    hash,
    mtime: '1700000000000000000',
    mode: 0o644,
    owner: 'root',
    group: 'root',
    uid: 0,
    gid: 0,
    ...more,
  };
}

function put(path: string, entry: object, more: object = {}): object {
  return { op: 'put', path, entry, expect: null, conflict: false, reason: 'hostile', ...more };
}

/** A header as POSIX has it, with whatever a test wants in its fields. */
function header(fields: { name: string; size?: string; type?: string; link?: string }): Buffer {
  const block = Buffer.alloc(512);
  block.write(fields.name, 0, 100, 'latin1');
  block.write('0000644\x000000000\x000000000\x00', 100, 'latin1');
  block.write((fields.size ?? '00000000000').padEnd(12, '\0').slice(0, 12), 124, 'latin1');
  block.write('00000000000\0', 136, 'latin1');
  block.write(fields.type ?? '0', 156, 'latin1');
  block.write(fields.link ?? '', 157, 100, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

void describe('An MDS that was taken over', () => {
  let cluster: Cluster;
  let mds: Mds;
  let agent: HostileAgent;
  let stream = 100;

  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1', 'mds2'], config: CONFIG });
    cluster.main.write('dialplan', 'a.conf', '[default]\n');
    cluster.main.write('recordings', 'one.wav', 'one');
    cluster.main.write('recordings', 'folder/two.wav', 'two');
    cluster.main.write('recordings', 'xds_override_main.wav', "Main's own");
    cluster.main.write('sounds', 'xds_override/secret.wav', "Main's own");
    cluster.one('mds2').write('dialplan', 'local.conf', '[local-to-mds2]\n');
    cluster.one('mds2').write('recordings', 'xds_override_mds2.wav', "mds2's own");
    await cluster.startMain();
    mds = cluster.one('mds1');
    cluster.one('mds2').start();
    await cluster.inSync(60_000);
  });
  after(() => cluster.end());

  async function session(): Promise<HostileAgent> {
    if (agent !== undefined && agent.closed === undefined) return agent;
    agent = await HostileAgent.connect(mds, cluster.port);
    return agent;
  }

  /** After work during which the connection can't have answered Main's pings: the next session is a new one. */
  async function endSession(): Promise<void> {
    agent?.hangUp();
    await agent?.untilClosed();
  }

  async function offer(
    offers: readonly object[],
    content: Uint8Array,
    directory = 'recordings',
  ): Promise<readonly { result: string; detail?: string | undefined }[]> {
    const hostile = await session();
    const id = stream++;
    hostile.say({ type: 'offer', stream: id, directory, offers });
    await hostile.pour(id, content);
    return hostile.results(id);
  }

  async function othersAreServed(): Promise<void> {
    const name = `served-${stream++}.wav`;
    cluster.main.write('moh', `default/${name}`, name);
    await eventually(
      'mds2 is served meanwhile',
      () => cluster.one('mds2').read('moh', `default/${name}`) === name,
      30_000,
    );
  }

  /** A plain archive as the product makes it: entries named by their numbers. */
  const archive = (...contents: Uint8Array[]): Buffer =>
    Buffer.concat([
      Buffer.of(0),
      ...contents.flatMap((content, i) => [
        header({ name: String(i), size: content.length.toString(8).padStart(11, '0') }),
        content,
        Buffer.alloc((512 - (content.length % 512)) % 512),
      ]),
      Buffer.alloc(1024),
    ]);

  void it('can put a file into a two-way directory: what follows is refused for what it is, not by accident', async () => {
    const content = Buffer.from('a recording');
    const [result] = await offer([put('taken.wav', entryOf(content))], archive(content));
    assert.equal(result?.result, 'done', JSON.stringify(result));
    assert.equal(cluster.main.read('recordings', 'taken.wav'), 'a recording');
  });

  void it('can write into no directory that goes from Main to the MDS only', async () => {
    for (const directory of ['dialplan', 'moh', 'sounds']) {
      const content = Buffer.from('[evil]\n');
      const [result] = await offer([put('evil.conf', entryOf(content))], archive(content), directory);
      assert.equal(result?.result, 'refused');
      assert.match(result.detail ?? '', new RegExp(`an MDS may not change "${directory}"`));
    }
    assert.equal(cluster.main.read('dialplan', 'evil.conf'), undefined);
  });

  void it('can name no path outside, no override, no place of another directory, and not our own area', async () => {
    const content = Buffer.from('x');
    const paths = [
      '../escaped',
      '/etc/escaped',
      'a/../../escaped',
      'a//b',
      './a',
      'nul\0name',
      '.xivo-xds-sync/trash/x',
      '.xivo-xds-sync',
      'xds_override_x',
      'sub/xds_override/x',
      'x'.repeat(300),
      Array.from({ length: 70 }, () => 'd').join('/'),
    ];
    const results = await offer(
      paths.map((each) => put(each, entryOf(content))),
      archive(...paths.map(() => content)),
    );
    for (const [i, each] of results.entries())
      assert.equal(each.result, 'refused', `${paths[i]}: ${JSON.stringify(each)}`);
    assert.equal(existsSync(path.join(cluster.main.root, 'escaped')), false);
    assert.equal(existsSync(path.join(cluster.folder, 'escaped')), false);
  });

  void it('can make no link that leads outside, and write through none', async () => {
    const link = (target: string): object => ({
      type: 'link',
      target,
      owner: 'root',
      group: 'root',
      uid: 0,
      gid: 0,
    });
    const results = await offer(
      [
        put('l1', link('/etc')),
        put('l2', link('../..')),
        put('l3', link('folder/../../..')),
        put('inside', link('folder')),
      ],
      Buffer.alloc(0),
    );
    assert.deepEqual(
      results.map(({ result }) => result),
      ['refused', 'refused', 'refused', 'done'],
    );
    const content = Buffer.from('through a link');
    const [through] = await offer([put('inside/through.wav', entryOf(content))], archive(content));
    assert.notEqual(through?.result, 'done');
    assert.equal(existsSync(cluster.main.at('recordings', 'folder/through.wav')), false);
    // A link that a user on Main made, to a place outside: nothing goes through that either.
    const outside = mkdtempSync(path.join(os.tmpdir(), 'xds-outside-'));
    symlinkSync(outside, cluster.main.at('recordings', 'planted'));
    const [planted] = await offer([put('planted/x.wav', entryOf(content))], archive(content));
    assert.notEqual(planted?.result, 'done');
    assert.equal(existsSync(path.join(outside, 'x.wav')), false);
    rmSync(outside, { recursive: true });
    rmSync(cluster.main.at('recordings', 'planted'));
  });

  void it('can put no file there that runs as its owner', async () => {
    const content = Buffer.from('#!/bin/sh\n');
    const results = await offer(
      [put('suid', entryOf(content, { mode: 0o4755 })), put('sgid', entryOf(content, { mode: 0o2755 }))],
      archive(content, content),
    );
    assert.deepEqual(
      results.map(({ result }) => result),
      ['refused', 'refused'],
    );
  });

  void it('can remove nothing where its removals do not count, and not by a file in the place of a folder', async () => {
    const folder = {
      type: 'folder',
      mode: lstatSync(cluster.main.at('recordings', 'folder')).mode & 0o7777,
      owner: 'root',
      group: 'root',
      uid: 0,
      gid: 0,
    };
    const [removed] = await offer(
      [{ op: 'remove', path: 'folder', expect: folder, reason: '' }],
      Buffer.alloc(0),
    );
    assert.match(removed?.detail ?? '', /removals on an MDS do not count/);
    const content = Buffer.from('flattened');
    const [flattened] = await offer([put('folder', entryOf(content), { expect: folder })], archive(content));
    assert.equal(flattened?.result, 'refused', JSON.stringify(flattened));
    assert.equal(cluster.main.read('recordings', 'folder/two.wav'), 'two');
  });

  void it('can fill the directory no further than its quota, also with offers side by side', async () => {
    // Less than the window each, so that no credit has to be waited for; two of them fit.
    const content = Buffer.alloc(900_000, 1);
    const hostile = await session();
    const ids = [stream++, stream++, stream++, stream++];
    for (const id of ids) {
      const offers = [put(`big-${id}.wav`, entryOf(content))];
      hostile.say({ type: 'offer', stream: id, directory: 'recordings', offers });
    }
    await Promise.all(ids.map((id) => hostile.pour(id, archive(content))));
    const results = await Promise.all(ids.map(async (id) => (await hostile.results(id))[0]?.result));
    assert.equal(results.filter((result) => result === 'done').length, 2, results.join());
    assert.equal(results.filter((result) => result === 'refused').length, 2, results.join());
    const { main } = await cluster.status();
    assert.ok((main.directories.find(({ name }) => name === 'recordings')?.bytes ?? 0) <= QUOTA);
  });

  void it("can read neither another MDS's local files and overrides nor Main's overrides", async () => {
    const hostile = await session();
    hostile.say({ type: 'want-manifest', directory: 'recordings' });
    hostile.say({ type: 'want-manifest', directory: 'dialplan' });
    hostile.say({ type: 'want-manifest', directory: 'sounds' });
    await hostile.until(
      (message) =>
        message.type === 'manifest-end' && 'directory' in message && message.directory === 'sounds',
    );
    const manifests = hostile.received.filter(({ type }) => type.startsWith('manifest'));
    const reported = JSON.stringify(manifests);
    assert.ok(!reported.includes('xds_override'), reported.slice(0, 2_000));
    assert.ok(!reported.includes('local.conf'));
    const secrets = ["Main's own", "mds2's own", '[local-to-mds2]\n'];
    const hashes = secrets.map((text) => createHash('sha256').update(text).digest('hex'));
    const id = stream++;
    hostile.say({
      type: 'get',
      stream: id,
      directory: 'recordings',
      items: [
        'xds_override_main.wav',
        '../xds_override/secret.wav',
        '../../../../../etc/passwd',
        'xds_override_mds2.wav',
        '.xivo-xds-sync/trash',
        'one.wav',
      ].map((each, i) => ({ path: each, hash: hashes[i % 3], size: secrets[i % 3]?.length })),
    });
    await eventually('it was answered', () =>
      hostile.frames.some((frame) => frame.readUInt32BE(0) === id && frame[4] === 1),
    );
    const sent = Buffer.concat(
      hostile.frames.filter((frame) => frame.readUInt32BE(0) === id).map((frame) => frame.subarray(5)),
    ).toString('latin1');
    for (const secret of secrets) assert.ok(!sent.includes(secret), sent);
    assert.ok(!sent.includes('root:'), sent);
  });

  void it('that lies about a hash or a size changes nothing', async () => {
    const content = Buffer.from('not what was announced');
    const lie = { ...entryOf(content), hash: 'ab'.repeat(32) };
    const [lied] = await offer([put('lie.wav', lie)], archive(content));
    assert.equal(lied?.result, 'stale', JSON.stringify(lied));
    assert.equal(existsSync(cluster.main.at('recordings', 'lie.wav')), false);
    const [short] = await offer([put('short.wav', entryOf(Buffer.alloc(1_000)))], archive(content));
    assert.equal(short?.result, 'failed');
    assert.equal(existsSync(cluster.main.at('recordings', 'short.wav')), false);
  });

  void it('that sends archives of other programs, with links, devices and paths in them, changes nothing', async () => {
    const work = mkdtempSync(path.join(os.tmpdir(), 'xds-tar-'));
    const make = (shell: string): Buffer =>
      Buffer.concat([Buffer.of(0), execFileSync('sh', ['-c', shell], { cwd: work, maxBuffer: 1 << 28 })]);
    const content = Buffer.from('x');
    const python = (code: string): Buffer =>
      Buffer.concat([
        Buffer.of(0),
        execFileSync('python3', [
          '-c',
          `import tarfile,io,sys\nf=io.BytesIO()\nt=tarfile.open(fileobj=f,mode='w:')\n${code}\nt.close()\nsys.stdout.buffer.write(f.getvalue())`,
        ]),
      ]);
    const info = (body: string): Buffer =>
      python(`i=tarfile.TarInfo('0')\n${body}\nt.addfile(i,io.BytesIO(b'x'*max(0,i.size)))`);
    const archives: [string, Buffer][] = [
      [
        'GNU tar, a path',
        make('echo -n x > x; tar cf - -P --transform "s,^x,../../../../tmp/xds-escaped," x'),
      ],
      [
        'GNU tar, a link then a file through it',
        make('ln -s /tmp 0; echo -n x > x; tar cf - --transform "s,^x,0/xds-escaped," 0 x'),
      ],
      ['GNU tar, a hard link', make('rm -f 0; echo -n x > 0; ln -f 0 1; tar cf - 0 1')],
      ['GNU tar, sparse', make('rm -f 0; truncate -s 10M 0; tar cSf - 0')],
      ['GNU tar, long names', make('rm -f 0 1; mkdir -p $(printf "d%.0s" $(seq 200)); tar cf - d*')],
      ['python, a symlink', info("i.type=tarfile.SYMTYPE; i.linkname='/etc/passwd'")],
      ['python, a hard link', info("i.type=tarfile.LNKTYPE; i.linkname='/etc/passwd'")],
      ['python, a device', info('i.type=tarfile.CHRTYPE; i.devmajor=1; i.devminor=3')],
      ['python, a fifo', info('i.type=tarfile.FIFOTYPE')],
      ['python, an absolute path', info("i.name='/tmp/xds-escaped'; i.size=1")],
      ['python, a pax path', info("i.size=1; i.pax_headers={'path':'../../xds-escaped'}")],
      ['python, a pax size', info("i.size=1; i.pax_headers={'size':'99999999999999'}")],
      [
        'a negative size',
        Buffer.concat([Buffer.of(0), header({ name: '0', size: '-0000000001' }), Buffer.alloc(1024)]),
      ],
      [
        'a huge base-256 size',
        Buffer.concat([
          Buffer.of(0),
          header({ name: '0', size: `\x80${'\xff'.repeat(11)}` }),
          Buffer.alloc(1024),
        ]),
      ],
      [
        'a pax header of 8 GiB',
        Buffer.concat([
          Buffer.of(0),
          header({ name: 'pax', type: 'x', size: '77777777777' }),
          Buffer.alloc(900_000, 0x61),
        ]),
      ],
      [
        'a GNU long name of 1 GiB',
        Buffer.concat([
          Buffer.of(0),
          header({ name: '././@LongLink', type: 'L', size: '10000000000' }),
          Buffer.alloc(900_000, 0x61),
        ]),
      ],
      ['a wrong checksum', Buffer.concat([Buffer.of(0), Buffer.alloc(512, 0x41), Buffer.alloc(1024)])],
      ['an unknown encoding', Buffer.concat([Buffer.of(9), Buffer.alloc(1024)])],
      ['something that is no zstd', Buffer.concat([Buffer.of(1), Buffer.alloc(1024, 7)])],
      ['nothing', Buffer.of(0)],
    ];
    await endSession();
    try {
      for (const [what, bytes] of archives) {
        const [result] = await offer([put('other.wav', entryOf(content))], bytes).catch((error: unknown) => {
          throw new Error(`${what}: ${String(error)}\n${cluster.main.log.slice(-3_000)}`);
        });
        assert.notEqual(result?.result, 'done', what);
        assert.equal(existsSync(cluster.main.at('recordings', 'other.wav')), false, what);
      }
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    assert.equal(existsSync('/tmp/xds-escaped'), false);
    await othersAreServed();
  });

  void it('that sends bombs costs Main no memory: zeros without end, a window of 128 MiB, a million tiny entries', async () => {
    const pid = cluster.main.pid ?? 0;
    const before = peakMemory(pid);
    const content = Buffer.from('x');
    const bomb = zlib.zstdCompressSync(Buffer.alloc(512 * 1024 * 1024), {
      params: { [zlib.constants.ZSTD_c_compressionLevel]: 3 },
    });
    const tiny = Buffer.concat(Array.from({ length: 2_000 }, (_, i) => header({ name: String(i) })));
    const million = zlib.zstdCompressSync(Buffer.concat(Array.from({ length: 500 }, () => tiny)));
    await endSession();
    const [zeros] = await offer([put('bomb.wav', entryOf(content))], Buffer.concat([Buffer.of(1), bomb]));
    assert.notEqual(zeros?.result, 'done');
    // RFC 8878, 3.1.1.1: a frame that claims a window of 128 MiB, then one raw block of one byte.
    const wide = Buffer.from('28b52ffd008809000078', 'hex');
    const [window] = await offer([put('wide.wav', entryOf(content))], Buffer.concat([Buffer.of(1), wide]));
    assert.notEqual(window?.result, 'done');
    const [entries] = await offer(
      [put('0', entryOf(Buffer.alloc(0)))],
      Buffer.concat([Buffer.of(1), million]),
    );
    assert.notEqual(entries?.result, 'done');
    await othersAreServed();
    const used = peakMemory(pid) - before;
    assert.ok(used < MEMORY_ALLOWANCE, `${used} MiB more`);
    console.log(
      `# bombs: Main's peak memory grew by ${Math.round(used)} MiB to ${Math.round(peakMemory(pid))}, ${openFiles(pid)} files open`,
    );
  });

  void it('can fill no disk with what it reports about a change', async () => {
    const content = Buffer.from('wordy');
    const [taken] = await offer(
      [put('wordy.wav', entryOf(content), { reason: 'offered '.repeat(8_000) })],
      archive(content),
    );
    assert.equal(taken?.result, 'done');
    const action = { directory: 'moh', action: 'send', path: 'wordy.wav', bytes: 0 };
    const actions = [{ ...action, reason: 'applied '.repeat(8_000) }];
    (await session()).say({ type: 'applied', directory: 'moh', changeSet: 'wordy', actions });
    let rows: { detail: string }[] = [];
    await eventually('both are in the history', async () => {
      const reported = await cluster.main.ok(['history', '--mds', 'mds1', '--limit', '10', '--json']);
      const { entries } = JSON.parse(reported) as { entries: { detail: string }[] };
      rows = entries.filter(({ detail }) => detail.startsWith('wordy.wav: '));
      return rows.length === 2;
    });
    for (const { detail } of rows) assert.ok(detail.length <= 2_000, `${detail.length} characters`);
  });

  void it('that breaks the rules of frames and messages is cut off with a reason, and the log names it', async () => {
    const breaks: [string, (hostile: HostileAgent) => void, RegExp][] = [
      ['no JSON', (hostile) => hostile.say('{"type":'), /not JSON/],
      ['an unknown message', (hostile) => hostile.say({ type: 'obey' }), /invalid/],
      ["a message of the other side's", (hostile) => hostile.say({ type: 'welcome' }), /invalid/],
      ['hello again', (hostile) => hostile.say(HELLO), /second hello/],
      [
        'a directory that is not there',
        (hostile) => hostile.say({ type: 'want-manifest', directory: 'etc' }),
        /does not have/,
      ],
      [
        'too many paths',
        (hostile) =>
          hostile.say({
            type: 'get',
            stream: 1,
            directory: 'moh',
            items: Array.from({ length: 5_000 }, (_, i) => ({
              path: `${i}`,
              hash: 'ab'.repeat(32),
              size: 1,
            })),
          }),
        /invalid/,
      ],
      [
        'a negative size',
        (hostile) =>
          hostile.say({
            type: 'get',
            stream: 1,
            directory: 'moh',
            items: [{ path: 'a', hash: 'ab'.repeat(32), size: -1 }],
          }),
        /invalid/,
      ],
      [
        'a frame that was not requested',
        (hostile) => hostile.frame(4_000_000, Buffer.of(1)),
        /not requested/,
      ],
      ['a frame cut short', (hostile) => hostile.socket.send(Buffer.of(0, 0, 1)), /invalid/],
      [
        'an answer to nothing',
        (hostile) => hostile.say({ type: 'answer', id: 5, ok: true, lines: [] }),
        /answer to nothing/,
      ],
    ];
    for (const [what, act, reason] of breaks) {
      const hostile = await session();
      act(hostile);
      const said = await hostile.untilClosed().catch((error: unknown) => {
        throw new Error(`${what}: ${String(error)}\n${cluster.main.log.slice(-3_000)}`);
      });
      assert.match(said, reason, what);
    }
    const oversized = await session();
    oversized.say(JSON.stringify({ type: 'x'.repeat(5 * 1024 * 1024) }));
    await oversized.untilClosed();
    const flood = await session();
    flood.say({
      type: 'offer',
      stream: 7,
      directory: 'recordings',
      offers: [put('flood.wav', entryOf(Buffer.alloc(1_000_000, 3)))],
    });
    // The archive is over with the first frame: the rest is discarded.
    for (let i = 0; i < 400; i++) flood.frame(7, Buffer.alloc(65_536));
    assert.equal((await flood.results(7))[0]?.result, 'failed');
    flood.hangUp();
    assert.match(
      cluster.main.log,
      /agent disconnected mds=mds1 address=127\.0\.0\.1 reason="protocol violation/,
    );
    await othersAreServed();
  });

  void it('that never reads, floods with pings, or sends frames of one byte keeps Main small', async () => {
    const pid = cluster.main.pid ?? 0;
    const before = peakMemory(pid);
    const deaf = await session();
    deaf.socket.pause();
    for (let i = 0; i < 40_000 && deaf.closed === undefined; i++) {
      deaf.say({ type: 'ping', sent: i });
      deaf.say({ type: 'want-manifest', directory: 'recordings' });
      deaf.socket.ping(Buffer.alloc(120));
      if (i % 500 === 0) await sleep(1);
    }
    deaf.hangUp();
    const tiny = await session();
    const ids = Array.from({ length: 8 }, () => stream++);
    for (const id of ids)
      tiny.say({
        type: 'offer',
        stream: id,
        directory: 'recordings',
        offers: [put(`t${id}`, entryOf(Buffer.alloc(100_000, 5)))],
      });
    for (let i = 0; i < 20_000 && tiny.closed === undefined; i++) {
      for (const id of ids) tiny.frame(id, Buffer.of(0));
      if (i % 200 === 0) await sleep(1);
    }
    await othersAreServed();
    tiny.hangUp();
    const used = peakMemory(pid) - before;
    assert.ok(used < MEMORY_ALLOWANCE, `${used} MiB more`);
    console.log(
      `# deaf and tiny: Main's peak memory grew by ${Math.round(used)} MiB to ${Math.round(peakMemory(pid))}, ${openFiles(pid)} files open`,
    );
  });

  void it("can put no control character on an administrator's screen", async () => {
    agent?.hangUp();
    await eventually(
      'Main has noticed',
      async () => (await cluster.statusOf('mds1')).state === 'disconnected',
    );
    const hostile = await HostileAgent.connect(mds, cluster.port, { hello: false });
    hostile.say({ ...HELLO, version: '\u001b[2J\u001b]0;owned\u0007\nALARM forged' });
    await hostile.until(({ type }) => type === 'welcome');
    for (const args of [['status'], ['mds', 'list']]) {
      const { stdout } = await cluster.main.run(args);
      for (const character of stdout.replaceAll('\n', ''))
        assert.ok(character >= ' ' && character !== '\u007f', JSON.stringify(stdout));
      assert.doesNotMatch(stdout, /^ALARM forged/m);
    }
    assert.ok(!cluster.main.log.includes('\u001b'));
    hostile.hangUp();
  });

  void it('leaves no file open on Main behind', async () => {
    const pid = cluster.main.pid ?? 0;
    await eventually('only a few files are open', () => openFiles(pid) < 120, 30_000);
  });
});
