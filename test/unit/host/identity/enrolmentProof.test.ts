import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import type { Identity } from '#host/identity/certificate.ts';
import {
  enrolmentVerifier,
  proveEnrolment,
  tlsBinding,
  verifyEnrolment,
} from '#host/identity/enrolmentProof.ts';
import { pinOfCertificate } from '#host/identity/pin.ts';

const secret = Buffer.alloc(16, 7);
const enrolment = { binding: Buffer.alloc(32, 1), agentPin: 'ab'.repeat(32), name: 'mds1' };

void test('a proof made with the secret is accepted by one who knows only the verifier', () => {
  const verifier = enrolmentVerifier(secret);
  const proof = proveEnrolment({ ...enrolment, secret });
  assert.ok(verifyEnrolment({ ...enrolment, verifier, proof }));
});

void test('a proof holds for its own secret, connection, pin and name only', () => {
  const verifier = enrolmentVerifier(secret);
  const proof = proveEnrolment({ ...enrolment, secret });
  const rest = { ...enrolment, verifier, proof };
  assert.ok(!verifyEnrolment({ ...rest, verifier: enrolmentVerifier(Buffer.alloc(16, 8)) }));
  assert.ok(!verifyEnrolment({ ...rest, binding: Buffer.alloc(32, 2) }));
  assert.ok(!verifyEnrolment({ ...rest, agentPin: 'ba'.repeat(32) }));
  assert.ok(!verifyEnrolment({ ...rest, name: 'mds2' }));
});

void test('moving a character from one part to the next makes another statement', () => {
  const verifier = enrolmentVerifier(secret);
  const proof = proveEnrolment({ ...enrolment, agentPin: 'aa', name: 'bb', secret });
  assert.ok(!verifyEnrolment({ ...enrolment, agentPin: 'aab', name: 'b', verifier, proof }));
});

void test('a proof of the wrong form is just wrong', () => {
  const verifier = enrolmentVerifier(secret);
  for (const proof of ['', 'x', '!!!', 'A'.repeat(86), 'A'.repeat(100_000)]) {
    assert.ok(!verifyEnrolment({ ...enrolment, verifier, proof }));
  }
});

void test('the verifier of a secret is always the same, and shows nothing of it', () => {
  const verifier = enrolmentVerifier(secret);
  assert.equal(verifier, enrolmentVerifier(Buffer.alloc(16, 7)));
  assert.match(verifier, /^[A-Za-z0-9_-]{43}$/);
  assert.ok(!Buffer.from(verifier, 'base64url').includes(secret));
  assert.notEqual(verifier, enrolmentVerifier(Buffer.alloc(16, 8)));
});

type Ends = { readonly client: TLSSocket; readonly server: TLSSocket };

/** A function that makes real TLS connections on the loopback between these two, as often as it is called. */
async function connections(
  t: TestContext,
  main: Identity,
  agent: Identity,
  version: 'TLSv1.2' | 'TLSv1.3',
): Promise<() => Promise<Ends>> {
  const listener = createServer({
    key: main.keyPem,
    cert: main.certificatePem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
  });
  const open: TLSSocket[] = [];
  t.after(() => {
    for (const socket of open) socket.destroy();
    listener.close();
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return async () => {
    const accepted = once(listener, 'secureConnection') as Promise<[TLSSocket]>;
    const client = connect({
      host: '127.0.0.1',
      port,
      key: agent.keyPem,
      cert: agent.certificatePem,
      rejectUnauthorized: false,
      maxVersion: version,
    });
    const [[server]] = await Promise.all([accepted, once(client, 'secureConnect')]);
    open.push(client, server);
    return { client, server };
  };
}

async function mainAndAgent(): Promise<[Identity, Identity]> {
  return [await createIdentity({ commonName: 'xivo' }), await createIdentity({ commonName: 'mds1' })];
}

void test('both ends of a TLS 1.3 connection have the same binding, and another connection has another', async (t) => {
  const dial = await connections(t, ...(await mainAndAgent()), 'TLSv1.3');
  const [first, second] = [await dial(), await dial()];
  assert.equal(tlsBinding(first.client).length, 32);
  assert.deepEqual(tlsBinding(first.client), tlsBinding(first.server));
  assert.deepEqual(tlsBinding(second.client), tlsBinding(second.server));
  assert.notDeepEqual(tlsBinding(first.client), tlsBinding(second.client));
});

void test('Main accepts a proof on the connection it was made for, and not when it comes over another', async (t) => {
  const dial = await connections(t, ...(await mainAndAgent()), 'TLSv1.3');
  const [first, second] = [await dial(), await dial()];
  const tokenSecret = randomBytes(16);
  const name = 'mds1';
  const own = first.client.getX509Certificate();
  assert.ok(own);
  const proof = proveEnrolment({
    secret: tokenSecret,
    binding: tlsBinding(first.client),
    agentPin: pinOfCertificate(own),
    name,
  });
  const acceptedOn = ({ server }: Ends): boolean => {
    const peer = server.getPeerX509Certificate();
    assert.ok(peer);
    const agentPin = pinOfCertificate(peer);
    const verifier = enrolmentVerifier(tokenSecret);
    return verifyEnrolment({ verifier, proof, binding: tlsBinding(server), agentPin, name });
  };
  assert.ok(acceptedOn(first));
  assert.ok(!acceptedOn(second));
});

void test('a proof that someone in the middle passes on with their own key is not accepted', async (t) => {
  const [main, agent] = await mainAndAgent();
  const middle = await createIdentity({ commonName: 'mds1' });
  const towardsAgent = await (await connections(t, middle, agent, 'TLSv1.3'))();
  const towardsMain = await (await connections(t, main, middle, 'TLSv1.3'))();
  const proof = proveEnrolment({
    secret,
    binding: tlsBinding(towardsAgent.client),
    agentPin: agent.pin,
    name: 'mds1',
  });
  const verifier = enrolmentVerifier(secret);
  for (const agentPin of [agent.pin, middle.pin]) {
    const binding = tlsBinding(towardsMain.server);
    assert.ok(!verifyEnrolment({ verifier, proof, binding, agentPin, name: 'mds1' }));
  }
});

void test('there is no binding below TLS 1.3', async (t) => {
  const dial = await connections(t, ...(await mainAndAgent()), 'TLSv1.2');
  const { client } = await dial();
  assert.throws(() => tlsBinding(client), /needs TLS 1\.3, and this connection has TLSv1\.2/);
});
