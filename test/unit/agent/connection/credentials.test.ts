import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type EnrolAnswer, type EnrolRequest, enrolRequestSchema } from '#protocol/messages/enrolment.ts';
import { type Identity, renewalPoint } from '#host/identity/certificate.ts';
import { loadIdentity } from '#host/identity/identityFiles.ts';
import { createIdentity, issueAgentCertificate } from '#host/identity/issueCertificate.ts';
import { createLogger } from '#host/log/logger.ts';
import { Credentials } from '../../../../agent/connection/credentials.ts';
import { type DialOptions, DialRefused } from '../../../../agent/connection/dial.ts';
import { loadMembership } from '../../../../agent/connection/membership.ts';
import { settled } from '../../../support/unit/agentEnd.ts';
import { memoryFolder } from '../../../support/unit/memoryFolder.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';
import { asWebSocket, MemoryLine } from '../../../support/wire/memorySocket.ts';

const [MAIN, NEXT, MDS] = (await Promise.all(
  ['main', 'main', 'mds1'].map((commonName) => createIdentity({ commonName })),
)) as [Identity, Identity, Identity];

function issue(lifeMs = 90 * 86_400_000, key = MDS): Promise<string> {
  const agentSpki = new X509Certificate(key.certificatePem).publicKey.export({ type: 'spki', format: 'der' });
  const { keyPem: mainKeyPem, certificatePem: mainCertificatePem } = MAIN;
  return issueAgentCertificate({ mainKeyPem, mainCertificatePem, agentSpki, name: 'mds1', lifeMs });
}

/** An MDS's credentials, and the Main that they dial, which shows this key and answers what the test says. */
class Played {
  readonly clock = new ManualClock();
  readonly folder: string;
  readonly log: string[] = [];
  readonly dialled: Pick<DialOptions, 'path' | 'mainPins' | 'certificatePem'>[] = [];
  readonly asked: EnrolRequest[] = [];
  readonly credentials: Credentials;
  mainPin = MAIN.pin;
  /** Refusals of the next connections. */
  refusals: DialRefused[] = [];
  answer: EnrolAnswer = { type: 'refused', reason: 'the test did not say' };

  constructor(t: TestContext, approved = true) {
    this.folder = path.join(memoryFolder(), 'identity');
    mkdirSync(this.folder);
    t.after(() => rmSync(path.dirname(this.folder), { recursive: true }));
    this.credentials = new Credentials({
      folder: this.folder,
      main: { host: 'main', port: 9443 },
      localAddress: undefined,
      identity: MDS,
      membership: { name: 'mds1', mainPin: MAIN.pin, approved },
      clock: this.clock,
      log: createLogger('info', ({ event }) => this.log.push(event)),
      dialMain: (options) => this.#dial(options),
    });
  }

  #dial({ path: where, mainPins, certificatePem }: DialOptions) {
    this.dialled.push({ path: where, mainPins, certificatePem });
    const refusal = where === '/agent' ? this.refusals.shift() : undefined;
    if (refusal !== undefined) return Promise.reject(refusal);
    const line = new MemoryLine();
    line.b.on('message', (data: Buffer) => {
      this.asked.push(enrolRequestSchema.parse(JSON.parse(data.toString())));
      line.b.send(JSON.stringify(this.answer));
    });
    return Promise.resolve({ socket: asWebSocket(line.a), mainPin: this.mainPin });
  }
}

const enrolled = (certificate: string): EnrolAnswer => ({
  type: 'enrolled',
  name: 'mds1',
  certificate,
  directories: [],
});

describe('The certificate of an MDS', () => {
  it('is renewed first when Main asks for a new one, and shown at the next attempt', async (t) => {
    const played = new Played(t);
    const certificate = await issue();
    played.answer = enrolled(certificate);
    played.refusals = [new DialRefused('it expired', { renew: true })];
    await played.credentials.connect();
    assert.deepEqual(
      played.dialled.map((each) => each.path),
      ['/agent', '/enrol', '/agent'],
    );
    assert.equal(played.dialled[2]?.certificatePem, certificate);
    assert.equal(loadIdentity(played.folder)?.certificatePem, certificate, 'and on disk');
    assert.deepEqual(played.asked[0], { type: 'renew', protocol: { oldest: 1, newest: 1 }, name: 'mds1' });
  });

  it('is not renewed when Main refuses for another reason, or refuses again', async (t) => {
    const played = new Played(t);
    played.refusals = [new DialRefused('it was removed')];
    await assert.rejects(played.credentials.connect(), /it was removed/);
    assert.deepEqual(played.asked, []);
    played.answer = enrolled(await issue());
    played.refusals = ['it expired', 'it expired again'].map((why) => new DialRefused(why, { renew: true }));
    await assert.rejects(played.credentials.connect(), /it expired again/);
    assert.equal(played.asked.length, 1);
  });

  it('is only one for its own key', async (t) => {
    const played = new Played(t);
    played.answer = enrolled(await issue(undefined, NEXT));
    await assert.rejects(played.credentials.renew(), /a certificate for another key/);
    played.answer = { type: 'refused', reason: 'this MDS may no longer connect' };
    await assert.rejects(played.credentials.renew(), /Main refused: this MDS may no longer connect/);
    played.answer = { type: 'left' };
    await assert.rejects(played.credentials.renew(), /it answered "left"/);
    assert.equal(loadIdentity(played.folder), undefined);
  });

  it('is used although it can not be written, which is a trouble until it can', async (t) => {
    const played = new Played(t);
    rmSync(played.folder, { recursive: true });
    writeFileSync(played.folder, 'in the way');
    const certificate = await issue();
    played.answer = enrolled(certificate);
    await played.credentials.renew();
    assert.match(
      played.credentials.troubles[0]?.message ?? '',
      /^the renewed certificate can't be written: E/,
    );
    await played.credentials.connect();
    assert.equal(played.dialled.at(-1)?.certificatePem, certificate);
  });

  it('is renewed when it is due, looked at every hour, and a minute later when that failed', async (t) => {
    const played = new Played(t);
    const { clock, credentials } = played;
    const stop = new AbortController();
    const kept = credentials.keepRenewed(stop.signal);
    assert.equal(clock.nextIn, 3_600_000);
    clock.advance(3_600_000);
    await settled();
    assert.deepEqual(played.asked, [], 'it holds for ten years');
    clock.advance(renewalPoint(MDS.certificatePem) - clock.now() - 1_000);
    await settled();
    assert.deepEqual(played.asked, []);
    assert.ok((clock.nextIn ?? Infinity) <= 1_002, `in ${clock.nextIn} ms`);
    clock.advance(1_002);
    await settled();
    assert.equal(played.asked.length, 1);
    assert.deepEqual(played.log, ['certificate was not renewed']);
    const certificate = await issue();
    played.answer = enrolled(certificate);
    clock.advance(60_000);
    await settled();
    clock.advance(500);
    await settled();
    assert.equal(played.asked.length, 2);
    assert.equal(loadIdentity(played.folder)?.certificatePem, certificate);
    stop.abort();
    await kept;
    assert.equal(clock.timers, 0);
  });
});

describe('A key of an MDS that waits for approval', () => {
  it('is a member from the certificate on that Main issues for it', async (t) => {
    const played = new Played(t, false);
    played.answer = { type: 'pending', fingerprint: 'aa bb', nextIdentity: NEXT.pin };
    assert.equal(await played.credentials.renew(), undefined);
    assert.equal(played.credentials.approved, false);
    assert.equal(
      loadMembership(played.folder)?.nextMainPin,
      NEXT.pin,
      'it has no session in which it would hear',
    );
    played.answer = enrolled(await issue());
    await played.credentials.renew();
    assert.equal(played.credentials.approved, true);
    assert.equal(loadMembership(played.folder)?.approved, true);
    assert.deepEqual(
      played.asked.map((each) => each.type === 'renew' && each.knowsIdentity),
      [undefined, NEXT.pin],
    );
  });
});

describe("Main's next key", () => {
  it('is accepted besides the old one, until Main uses it: then the old one is not', async (t) => {
    const played = new Played(t);
    const { credentials } = played;
    let learnt = 0;
    credentials.learnNextMain(NEXT.pin, () => (learnt += 1));
    credentials.learnNextMain(NEXT.pin, () => (learnt += 1));
    assert.equal(learnt, 2);
    assert.deepEqual(played.log, ['Main will change its key'], 'it is news once');
    await credentials.connect();
    assert.deepEqual(played.dialled[0]?.mainPins, [MAIN.pin, NEXT.pin]);
    assert.equal(credentials.pins.mainPin, MAIN.pin);
    played.mainPin = NEXT.pin;
    await credentials.connect();
    assert.equal(credentials.pins.mainPin, NEXT.pin);
    assert.deepEqual(loadMembership(played.folder), { name: 'mds1', mainPin: NEXT.pin, approved: true });
    await credentials.connect();
    assert.deepEqual(played.dialled.at(-1)?.mainPins, [NEXT.pin]);
    credentials.learnNextMain(NEXT.pin);
    assert.equal(loadMembership(played.folder)?.nextMainPin, undefined, 'the key in use is no next one');
  });

  it('counts as learnt only when it is written', async (t) => {
    const played = new Played(t);
    rmSync(played.folder, { recursive: true });
    writeFileSync(played.folder, 'in the way');
    played.credentials.learnNextMain(NEXT.pin, () => assert.fail('it is not on disk'));
    assert.match(played.credentials.troubles[0]?.message ?? '', /^Main's next key can't be written/);
    await played.credentials.connect();
    assert.deepEqual(played.dialled[0]?.mainPins, [MAIN.pin]);
  });
});

describe('An MDS that leaves', () => {
  it('has left when Main says so', async (t) => {
    const played = new Played(t);
    played.answer = { type: 'left' };
    await played.credentials.leave();
    assert.equal(played.asked[0]?.type, 'leave');
    played.answer = { type: 'refused', reason: 'no' };
    await assert.rejects(played.credentials.leave(), /Main refused: no/);
  });
});
