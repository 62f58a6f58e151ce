import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { createIdentity, issueAgentCertificate } from '#host/identity/issueCertificate.ts';
import { PROTOCOL } from '#protocol/version.ts';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually } from '../support/harness/host.ts';
import { openFiles, peakMemory } from '../support/harness/resources.ts';

const run = promisify(execFile);
const REQUEST =
  'GET /agent HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

void describe('A client without an enrolled key', () => {
  let cluster: Cluster;
  let work: string;
  before(async () => {
    cluster = await Cluster.make({ mds: ['mds1', 'mds2'] });
    cluster.main.write('moh', 'default/one.wav', 'one');
    await cluster.startMain();
    await cluster.enrolAndStart(cluster.one('mds1'));
    await cluster.inSync(60_000);
    work = mkdtempSync(path.join(os.tmpdir(), 'xds-unauthenticated-'));
  });
  after(async () => {
    await cluster.end();
    rmSync(work, { recursive: true, force: true });
  });

  const identityFile = (file: string): string =>
    path.join(cluster.one('mds1').root, 'var/lib/xivo-xds-sync/identity', file);

  /** What Main answers openssl's own client, which knows nothing of this product. */
  async function openssl(args: readonly string[]): Promise<string> {
    const child = spawn(
      'openssl',
      ['s_client', '-connect', `127.0.0.1:${cluster.port}`, '-quiet', '-ign_eof', ...args],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
        timeout: 60_000,
      },
    );
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('latin1')));
    child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString('latin1')));
    child.stdin.on('error', () => undefined);
    child.stdin.write(REQUEST);
    await once(child, 'close');
    return out;
  }

  void it('gets no session without a certificate, with its own, with a forged one, or with one of another key', async () => {
    assert.match(await openssl([]), /403 Refused[\s\S]*a client certificate is required/);
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-subj',
        '/CN=mds1',
        '-days',
        '9',
        '-keyout',
        `${work}/own.key`,
        '-out',
        `${work}/own.crt`,
      ],
      { stdio: 'pipe' },
    );
    assert.match(
      await openssl(['-cert', `${work}/own.crt`, '-key', `${work}/own.key`]),
      /403 Refused[\s\S]*does not know the key/,
    );
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-subj',
        '/CN=mds1',
        '-days',
        '9',
        '-keyout',
        `${work}/rsa.key`,
        '-out',
        `${work}/rsa.crt`,
      ],
      { stdio: 'pipe' },
    );
    assert.match(
      await openssl(['-cert', `${work}/rsa.crt`, '-key', `${work}/rsa.key`]),
      /403 Refused[\s\S]*not ECDSA P-256/,
    );
    // mds1's certificate, which is no secret, with a key that is not mds1's: TLS itself ends that.
    assert.doesNotMatch(
      await openssl(['-cert', identityFile('certificate.pem'), '-key', `${work}/own.key`]),
      /101 Switching/,
    );
    // The other way round: its key, and a certificate that it signed itself, for another name, or past its end.
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-new',
        '-key',
        identityFile('key.pem'),
        '-subj',
        '/CN=mds1',
        '-days',
        '9',
        '-out',
        `${work}/self.crt`,
      ],
      { stdio: 'pipe' },
    );
    assert.match(
      await openssl(['-cert', `${work}/self.crt`, '-key', identityFile('key.pem')]),
      /401 Refused[\s\S]*not Main's/,
    );
    const main = path.join(cluster.main.root, 'var/lib/xivo-xds-sync/identity');
    const issue = (name: string, lifeMs: number): Promise<string> => {
      const spki = execFileSync('openssl', [
        'pkey',
        '-in',
        identityFile('key.pem'),
        '-pubout',
        '-outform',
        'DER',
      ]);
      return issueAgentCertificate({
        mainKeyPem: readFileSync(path.join(main, 'key.pem'), 'utf8'),
        mainCertificatePem: readFileSync(path.join(main, 'certificate.pem'), 'utf8'),
        agentSpki: spki,
        name,
        lifeMs,
      });
    };
    writeFileSync(`${work}/name.crt`, await issue('mds2', 60_000));
    assert.match(
      await openssl(['-cert', `${work}/name.crt`, '-key', identityFile('key.pem')]),
      /401 Refused[\s\S]*not for mds1/,
    );
    writeFileSync(`${work}/short.crt`, await issue('mds1', 1_000));
    await sleep(2_100);
    assert.match(
      await openssl(['-cert', `${work}/short.crt`, '-key', identityFile('key.pem')]),
      /401 Refused[\s\S]*expired at/,
    );
    // An impostor's authority of the same name as Main's.
    const impostor = await createIdentity({ commonName: 'main' });
    const spki = execFileSync('openssl', [
      'pkey',
      '-in',
      identityFile('key.pem'),
      '-pubout',
      '-outform',
      'DER',
    ]);
    writeFileSync(
      `${work}/impostor.crt`,
      await issueAgentCertificate({
        mainKeyPem: impostor.keyPem,
        mainCertificatePem: impostor.certificatePem,
        agentSpki: spki,
        name: 'mds1',
        lifeMs: 60_000,
      }),
    );
    assert.match(
      await openssl(['-cert', `${work}/impostor.crt`, '-key', identityFile('key.pem')]),
      /401 Refused[\s\S]*not Main's/,
    );
  });

  void it('finds TLS 1.3 and nothing older', async () => {
    for (const version of ['-tls1_2', '-tls1_1'])
      await assert.rejects(
        run('openssl', ['s_client', '-connect', `127.0.0.1:${cluster.port}`, version], { timeout: 60_000 }),
      );
    await eventually('Main says so', () => /no TLS handshake address=127\.0\.0\.1/.test(cluster.main.log));
  });

  void it('with an expired certificate of a key that is enrolled can renew, and do nothing else', async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${cluster.port}/enrol`, {
      key: readFileSync(identityFile('key.pem')),
      cert: readFileSync(`${work}/short.crt`),
      rejectUnauthorized: false,
    });
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'renew', protocol: PROTOCOL, name: 'mds2' }));
    const [data] = (await once(socket, 'message')) as [Buffer];
    const answer = JSON.parse(data.toString()) as { type: string; name: string };
    assert.deepEqual(
      [answer.type, answer.name],
      ['enrolled', 'mds1'],
      'the key says who it is, not the request',
    );
    const nonsense = new WebSocket(`wss://127.0.0.1:${cluster.port}/enrol`, {
      key: readFileSync(identityFile('key.pem')),
      cert: readFileSync(`${work}/short.crt`),
      rejectUnauthorized: false,
    });
    await once(nonsense, 'open');
    nonsense.send(JSON.stringify({ type: 'want-manifest', directory: 'moh' }));
    const [refusal] = (await once(nonsense, 'message')) as [Buffer];
    assert.match(refusal.toString(), /not an enrolment request/);
  });

  void it('can ask to enrol without end, and fills nothing: not the list, not the disk, not the log', async () => {
    const identity = await createIdentity({ commonName: 'x' });
    let refusals = 0;
    let waiting = '';
    for (let i = 0; i < 160; i++) {
      // The same key under ever new names, then new keys, then what is waiting already.
      const name = i < 120 ? `flood${i}` : waiting;
      const isNewKey = i >= 60 && i < 120;
      const { keyPem, certificatePem } = isNewKey ? await createIdentity({ commonName: 'x' }) : identity;
      const socket = new WebSocket(`wss://127.0.0.1:${cluster.port}/enrol`, {
        key: keyPem,
        cert: certificatePem,
        rejectUnauthorized: false,
      });
      await once(socket, 'open');
      socket.send(JSON.stringify({ type: 'enrol', protocol: PROTOCOL, name }));
      const [data] = (await once(socket, 'message')) as [Buffer];
      const { type } = JSON.parse(data.toString()) as { type: string };
      if (type === 'refused') refusals += 1;
      else if (i < 60) waiting = name;
      socket.terminate();
    }
    assert.ok(refusals > 20, `${refusals}`);
    const pending = (await cluster.status()).mds.filter(({ state }) => state === 'pending');
    assert.ok(pending.length <= 20, `${pending.length}`);
    const lines = cluster.main.log.split('enrolment waits for approval').length - 1;
    assert.ok(lines <= 70, `${lines} lines in the log`);
    for (const { name } of pending) await cluster.main.ok(['mds', 'remove', name]);
  });

  void it('that opens thousands of connections, and sends nothing or a byte at a time, costs little and hinders no agent', async () => {
    const pid = cluster.main.pid ?? 0;
    const memory = peakMemory(pid);
    const sockets: net.Socket[] = [];
    let most = 0;
    const dribble = setInterval(() => {
      for (const socket of sockets) if (!socket.destroyed) socket.write('\x16');
      most = Math.max(most, openFiles(pid));
    }, 200);
    const flood = (async () => {
      for (let i = 0; i < 4_000; i++) {
        const socket = net.connect({ host: '127.0.0.1', port: cluster.port, localAddress: '127.0.0.66' });
        socket.on('error', () => undefined);
        sockets.push(socket);
        if (i % 100 === 99) await sleep(50);
      }
    })();
    // Meanwhile: the one that is connected gets a file, and another one comes in, from its own address.
    const startedAt = Date.now();
    cluster.main.write('moh', 'default/during-flood.wav', 'x');
    await eventually(
      'mds1 is served',
      () => cluster.one('mds1').read('moh', 'default/during-flood.wav') === 'x',
      20_000,
    );
    const served = Date.now() - startedAt;
    await cluster.enrolAndStart(cluster.one('mds2'));
    await eventually(
      'mds2 came in',
      async () => (await cluster.statusOf('mds2')).state === 'connected',
      40_000,
    );
    await flood;
    // TLS done, and then no request: that is an unauthenticated connection, too.
    const quiet: tls.TLSSocket[] = [];
    for (let i = 0; i < 200; i++) {
      const socket = tls.connect({
        host: '127.0.0.1',
        port: cluster.port,
        rejectUnauthorized: false,
        ...{ localAddress: '127.0.0.67' },
      });
      socket.on('error', () => undefined);
      socket.once('secureConnect', () => socket.write('GET / HTTP/1.1\r\nX: '));
      quiet.push(socket);
      if (i % 20 === 19) await sleep(50);
    }
    most = Math.max(most, openFiles(pid));
    await sleep(1_000);
    clearInterval(dribble);
    for (const socket of sockets) socket.destroy();
    for (const socket of quiet) socket.destroy();
    const used = peakMemory(pid) - memory;
    console.log(
      `# flood: ${sockets.length} connections; at most ${most} files open on Main, ${Math.round(used)} MiB more memory, a file took ${served} ms meanwhile`,
    );
    assert.ok(most < 400, `${most} files open`);
    assert.ok(used < 200, `${used} MiB more`);
    // Too many at a time, or its second byte, whichever comes first.
    assert.match(cluster.main.log, /(?:connection dropped|no TLS handshake) address=127\.0\.0\.66/);
    const lines = cluster.main.log.split('\n').filter((line) => line.includes('127.0.0.66')).length;
    assert.ok(lines < 20, `${lines} lines in the log about one address`);
    await eventually('all is closed again', () => openFiles(pid) < 100, 40_000);
  });

  void it('that stays silent after connecting is dropped within half a minute', async () => {
    const socket = net.connect({ host: '127.0.0.1', port: cluster.port });
    const startedAt = Date.now();
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'close');
    assert.ok(Date.now() - startedAt < 30_000);
  });
});
