import assert from 'node:assert/strict';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { formatFingerprint, pinOfCertificate } from '#host/identity/pin.ts';
import { eventually } from '../../../support/harness/host.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';
import {
  dial,
  type DialOptions,
  dialPlain,
  DialRefused,
  PinMismatch,
} from '../../../../agent/connection/dial.ts';

const [MAIN, MDS] = await Promise.all(['main', 'mds1'].map((commonName) => createIdentity({ commonName })));
assert.ok(MAIN && MDS);
const OTHER = 'f'.repeat(64);

/** A Main that answers an upgrade with this status, or lets the agent in. */
async function serve(
  t: TestContext,
  refusal?: { readonly status: number; readonly body: string },
): Promise<{ asked: string[]; options: DialOptions }> {
  const asked: string[] = [];
  const server = https.createServer({
    key: MAIN?.keyPem,
    cert: MAIN?.certificatePem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const { raw } = (socket as TLSSocket).getPeerCertificate();
    asked.push(`${request.url} ${raw === undefined ? 'no key' : pinOfCertificate(raw) === MDS?.pin}`);
    if (refusal === undefined) return sockets.handleUpgrade(request, socket, head, () => undefined);
    const { status, body } = refusal;
    return socket.end(
      `HTTP/1.1 ${status} Refused\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    options: {
      main: { host: '127.0.0.1', port },
      path: '/agent',
      keyPem: MDS?.keyPem ?? '',
      certificatePem: MDS?.certificatePem ?? '',
      mainPins: [OTHER, MAIN?.pin ?? ''],
    },
  };
}

/**
 * A host that does not let an agent in and does not refuse it either.
 * @param how whether it speaks TLS, and what it says then
 */
async function serveNothing(
  t: TestContext,
  how: { readonly tls: boolean; readonly says?: string },
): Promise<{ options: DialOptions; reached: () => Promise<void>; left: () => Promise<void> }> {
  const { options } = await serve(t);
  const server = how.tls
    ? https.createServer({ key: MAIN?.keyPem, cert: MAIN?.certificatePem })
    : net.createServer();
  const open = new Set<net.Socket>();
  let reached = 0;
  let awaited = 0;
  server.on('connection', (socket: net.Socket) => {
    open.add(socket.on('error', () => undefined));
    socket.on('close', () => open.delete(socket));
    if (how.tls) return;
    socket.resume();
    reached += 1;
  });
  server.on('upgrade', (_request, socket: net.Socket) => {
    if (how.says !== undefined) socket.write(how.says);
    reached += 1;
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return {
    options: { ...options, main: { host: '127.0.0.1', port } },
    reached: () => {
      awaited += 1;
      return eventually('the agent has asked', () => reached === awaited);
    },
    left: () => eventually('no connection is left', () => open.size === 0),
  };
}

describe('A connection to Main', () => {
  it('is made with the key of this MDS to a host that has one of the pins of Main', async (t) => {
    const { options, asked } = await serve(t);
    const clock = new ManualClock();
    const { socket, mainPin } = await dial({ ...options, clock });
    assert.equal(clock.timers, 0);
    assert.equal(socket.readyState, socket.OPEN);
    assert.equal(mainPin, MAIN.pin);
    assert.deepEqual(asked, ['/agent true']);
    socket.terminate();
  });

  it('is not made to another host: nothing is sent to it, and both keys are named', async (t) => {
    const { options, asked } = await serve(t);
    await assert.rejects(dial({ ...options, mainPins: [OTHER] }), (error: unknown) => {
      assert.ok(error instanceof PinMismatch);
      for (const pin of [MAIN.pin, OTHER]) assert.ok(error.message.includes(formatFingerprint(pin)));
      return /Nothing was sent to it/.test(error.message);
    });
    assert.deepEqual(asked, []);
  });

  it('is made to any host only where a person compares the key', async (t) => {
    const { options } = await serve(t);
    const { tls, mainPin } = await dialPlain({ ...options, mainPins: [] });
    assert.equal(mainPin, MAIN.pin);
    tls.destroy();
  });

  for (const [status, renew] of [
    [401, true],
    [403, false],
  ] as const) {
    it(`that Main refuses with ${status} ${renew ? 'needs a new certificate' : 'is refused for good'}`, async (t) => {
      const { options } = await serve(t, { status, body: 'this MDS was removed\n' });
      await assert.rejects(dial(options), (error: unknown) => {
        assert.ok(error instanceof DialRefused);
        assert.equal(error.message, 'Main refused: this MDS was removed');
        return error.renew === renew;
      });
    });
  }

  it('that is refused without a word is refused with the status', async (t) => {
    const { options } = await serve(t, { status: 500, body: '' });
    await assert.rejects(dial(options), /^Error: Main refused: status 500/);
  });

  it('is not made any more when the agent is stopping', async (t) => {
    const { options, asked } = await serve(t);
    const stop = new AbortController();
    const dialled = dial({ ...options, signal: stop.signal });
    stop.abort();
    await assert.rejects(dialled, /the agent is stopping/);
    await assert.rejects(dialPlain({ ...options, signal: stop.signal }), /the agent is stopping/);
    assert.deepEqual(asked, []);
  });

  for (const [what, options] of [
    ['a host that says nothing', { tls: false }],
    ['a Main that says nothing', { tls: true }],
    [
      'a Main that does not say why it refuses',
      { tls: true, says: 'HTTP/1.1 403 Refused\r\nContent-Length: 9\r\n\r\n' },
    ],
  ] as const) {
    it(`is not waited for when the agent is stopping, and for 10 s at most: ${what}`, async (t) => {
      const clock = new ManualClock();
      const stuck = await serveNothing(t, options);
      const late = dial({ ...stuck.options, clock });
      await Promise.all([
        stuck.reached().then(() => clock.advance(10_000)),
        assert.rejects(late, /^Error: no answer from 127\.0\.0\.1:\d+ within 10 s$/),
      ]);
      const stop = new AbortController();
      const stopped = dial({ ...stuck.options, clock, signal: stop.signal });
      await Promise.all([
        stuck.reached().then(() => stop.abort()),
        assert.rejects(stopped, /^Error: the agent is stopping$/),
      ]);
      await stuck.left();
    });
  }

  it('fails with the reason of the network', async (t) => {
    const { options } = await serve(t);
    await assert.rejects(dial({ ...options, main: { host: '127.0.0.1', port: 1 } }), {
      code: 'ECONNREFUSED',
    });
  });
});
