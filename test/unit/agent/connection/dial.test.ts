import assert from 'node:assert/strict';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { formatFingerprint, pinOfCertificate } from '#host/identity/pin.ts';
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

describe('A connection to Main', () => {
  it('is made with the key of this MDS to a host that has one of the pins of Main', async (t) => {
    const { options, asked } = await serve(t);
    const { socket, mainPin } = await dial(options);
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
    await assert.rejects(dial({ ...options, signal: stop.signal }), /the agent is stopping/);
    assert.deepEqual(asked, []);
  });

  it('fails with the reason of the network', async (t) => {
    const { options } = await serve(t);
    await assert.rejects(dial({ ...options, main: { host: '127.0.0.1', port: 1 } }), {
      code: 'ECONNREFUSED',
    });
  });
});
