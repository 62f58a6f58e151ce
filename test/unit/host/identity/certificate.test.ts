import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { certificateIssuedBy, renewalPoint, validity, whyNoSession } from '#host/identity/certificate.ts';
import { createIdentity, issueAgentCertificate } from '#host/identity/issueCertificate.ts';
import type { Identity } from '#host/identity/certificate.ts';
import { pinOfCertificate } from '#host/identity/pin.ts';

const DAY = 86_400_000;

function spkiOf(identity: Identity): Buffer {
  return new X509Certificate(identity.certificatePem).publicKey.export({ type: 'spki', format: 'der' });
}

async function issue(
  main: Identity,
  agent: Identity,
  name = 'mds1',
  lifeMs = 90 * DAY,
): Promise<X509Certificate> {
  const pem = await issueAgentCertificate({
    mainKeyPem: main.keyPem,
    mainCertificatePem: main.certificatePem,
    agentSpki: spkiOf(agent),
    name,
    lifeMs,
  });
  return new X509Certificate(pem);
}

void test('an identity is a P-256 key with a self-signed certificate of ten years that began yesterday', async () => {
  const before = Date.now();
  const identity = await createIdentity({ commonName: 'xivo.example.org' });
  const certificate = new X509Certificate(identity.certificatePem);
  assert.equal(certificate.subject, 'CN=xivo.example.org');
  assert.equal(certificate.subjectAltName, 'DNS:xivo.example.org');
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.ok(certificate.checkPrivateKey(createPrivateKey(identity.keyPem)));
  assert.ok(certificate.verify(certificate.publicKey));
  const { notBefore, notAfter } = validity(certificate);
  assert.ok(Math.abs(notBefore - (before - DAY)) < 60_000);
  assert.ok(Math.abs(notAfter - (before + 3650 * DAY)) < 60_000);
});

void test('two identities never share a key', async () => {
  const one = await createIdentity({ commonName: 'mds1' });
  const other = await createIdentity({ commonName: 'mds1' });
  assert.notEqual(one.pin, other.pin);
});

void test("Main issues a certificate for the agent's own key, for a client, that Main's key verifies", async () => {
  const main = await createIdentity({ commonName: 'xivo' });
  const agent = await createIdentity({ commonName: 'mds1' });
  const certificate = await issue(main, agent);
  assert.equal(certificate.subject, 'CN=mds1');
  assert.equal(certificate.issuer, 'CN=xivo');
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  assert.equal(certificate.ca, false);
  assert.equal(pinOfCertificate(certificate), agent.pin);
  assert.ok(certificate.checkIssued(new X509Certificate(main.certificatePem)));
  assert.ok(certificateIssuedBy(certificate.raw, main.certificatePem));
  const { notBefore, notAfter } = validity(certificate.raw);
  assert.equal(Math.round((notAfter - notBefore) / DAY), 91);
});

void test('a certificate from another Main of the same name, or one that an agent signed itself, is not from Main', async () => {
  const main = await createIdentity({ commonName: 'xivo' });
  const impostor = await createIdentity({ commonName: 'xivo' });
  const agent = await createIdentity({ commonName: 'mds1' });
  assert.ok(!certificateIssuedBy((await issue(impostor, agent)).raw, main.certificatePem));
  assert.ok(!certificateIssuedBy(new X509Certificate(agent.certificatePem).raw, main.certificatePem));
});

void test('renewing keeps the pin', async () => {
  const main = await createIdentity({ commonName: 'xivo' });
  const agent = await createIdentity({ commonName: 'mds1' });
  const first = await issue(main, agent);
  const second = await issue(main, agent);
  assert.notEqual(first.serialNumber, second.serialNumber);
  assert.equal(pinOfCertificate(first), pinOfCertificate(second));
});

void test('names that a distinguished name would have to escape stay what they are', async () => {
  const { certificatePem } = await createIdentity({ commonName: 'a+b, O=c' });
  const { CN, O } = new X509Certificate(certificatePem).toLegacyObject().subject;
  assert.deepEqual({ CN, O }, { CN: 'a+b, O=c', O: undefined });
});

void test('the point of renewal lies between 50 and 80 % of the life, stays where it is, and differs between certificates', async () => {
  const main = await createIdentity({ commonName: 'xivo' });
  const agent = await createIdentity({ commonName: 'mds1' });
  const points = new Set<number>();
  for (const lifeMs of [10_000, 60_000, DAY, 90 * DAY]) {
    for (let i = 0; i < 10; i++) {
      const certificate = await issue(main, agent, 'mds1', lifeMs);
      const { notBefore, notAfter } = validity(certificate);
      const point = renewalPoint(certificate.toString());
      const share = (point - notBefore) / (notAfter - notBefore);
      assert.ok(share >= 0.5 && share <= 0.8, `${share}`);
      assert.ok(point > Date.now(), 'a certificate that was just issued needs no renewal');
      assert.equal(renewalPoint(certificate.toString()), point);
      points.add(Math.round(share * 1e6));
    }
  }
  assert.ok(points.size > 30);
});

void test('a session begins only with a certificate of Main for that name that holds now', async () => {
  const main = await createIdentity({ commonName: 'xivo' });
  const agent = await createIdentity({ commonName: 'mds1' });
  const { raw } = await issue(main, agent);
  const judge = (certificateDer: Uint8Array, name = 'mds1', now = Date.now()): string | undefined =>
    whyNoSession({ certificateDer, mainCertificatePem: main.certificatePem, name, now });
  assert.equal(judge(raw), undefined);
  assert.match(judge(raw, 'mds2') ?? '', /not for mds2/);
  assert.match(judge(raw, 'mds1', Date.now() + 91 * DAY) ?? '', /expired at/);
  assert.match(judge(raw, 'mds1', Date.now() - 2 * DAY) ?? '', /valid only from/);
  assert.match(judge(new X509Certificate(agent.certificatePem).raw) ?? '', /not Main's/);
});
