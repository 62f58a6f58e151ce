import assert from 'node:assert/strict';
import https from 'node:https';
import { it } from 'node:test';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { Server } from '../../../../controller/server/server.ts';

void it('a server that has closed leaves no timer behind', async (t) => {
  const nothing = (): undefined => undefined;
  const server = new Server({
    listen: { host: '127.0.0.1', port: 0 },
    identity: await createIdentity({ commonName: 'main' }),
    refuseSession: nothing,
    onUnauthenticated: nothing,
    onSession: nothing,
    onEnrol: nothing,
    onRequest: nothing,
    onError: nothing,
  });
  await server.listen();
  const ended = t.mock.method(https.Server.prototype, 'closeAllConnections');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await server.close();
  t.mock.timers.tick(60_000);
  assert.equal(ended.mock.callCount(), 0);
});
