import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { rmSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { type EnrolAnswer, enrolAnswerSchema } from '#protocol/messages/enrolment.ts';
import { type Identity, validity, whyNoSession } from '#host/identity/certificate.ts';
import { proveEnrolment, tlsBinding } from '#host/identity/enrolmentProof.ts';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { createLogger } from '#host/log/logger.ts';
import { handleEnrolment } from '../../../../controller/enrolment/enrolments.ts';
import { Rotation } from '../../../../controller/enrolment/keyRotation.ts';
import { SigningLimit } from '../../../../controller/enrolment/signingLimit.ts';
import { TokenBucket } from '../../../../controller/enrolment/tokenBucket.ts';
import { Registry, type TokenParts } from '../../../../controller/registry/registry.ts';
import { PeerLog } from '../../../../controller/server/peerLog.ts';
import type { Peer } from '../../../../controller/server/server.ts';
import { settled } from '../../../support/unit/agentEnd.ts';
import { memoryFolder } from '../../../support/unit/memoryFolder.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';
import { asWebSocket, MemoryLine } from '../../../support/wire/memorySocket.ts';

const [MAIN, ONE, TWO] = (await Promise.all(
  ['main', 'mds1', 'mds2'].map((commonName) => createIdentity({ commonName })),
)) as [Identity, Identity, Identity];
const LIFE = 90 * 86_400_000;
const PROTOCOL = { oldest: 1, newest: 1 };
/** As much of a TLS connection as an enrolment looks at. */
const TLS = {
  getProtocol: () => 'TLSv1.3',
  exportKeyingMaterial: () => Buffer.alloc(32, 7),
} as unknown as Peer['tls'];

class Main {
  readonly clock = new ManualClock();
  readonly registry: Registry;
  readonly rotation: Rotation;
  readonly log: string[] = [];
  readonly revoked: string[] = [];
  readonly alarms: string[] = [];
  requests: TokenBucket;
  readonly #signing: SigningLimit;

  constructor(t: TestContext) {
    const folder = memoryFolder();
    t.after(() => rmSync(folder, { recursive: true }));
    this.registry = new Registry(folder);
    const log = this.#logger();
    const announce = (): void => undefined;
    this.rotation = new Rotation({ folder, registry: this.registry, log, announce });
    this.requests = new TokenBucket(this.clock, { most: 50, refillMs: 1_000 });
    this.#signing = new SigningLimit(this.clock, LIFE);
  }

  #logger() {
    return createLogger('info', ({ event }) => this.log.push(event));
  }

  /** A peer with this key sends this text. @returns Main's answer; undefined when it gave none */
  async hears(
    text: string | Buffer | undefined,
    key = ONE,
    address = '192.0.2.1',
  ): Promise<EnrolAnswer | undefined> {
    const line = new MemoryLine();
    let answer: EnrolAnswer | undefined;
    line.a.on('message', (data: Buffer) => (answer = enrolAnswerSchema.parse(JSON.parse(data.toString()))));
    const peer: Peer = {
      socket: asWebSocket(line.b),
      tls: TLS,
      pin: key.pin,
      certificate: new X509Certificate(key.certificatePem).raw,
      address,
    };
    const log = this.#logger();
    const handled = handleEnrolment(peer, {
      registry: this.registry,
      main: {
        identity: MAIN,
        rotation: this.rotation,
        directories: [{ name: 'moh', path: '/var/lib/xivo/moh' }] as never,
        certificateLifeMs: LIFE,
      },
      limits: { requests: this.requests, signing: this.#signing },
      clock: this.clock,
      log,
      peerLog: new PeerLog(log, this.clock),
      onRevoked: (pins, why) => this.revoked.push(...pins.map((pin) => `${pin.slice(0, 8)} ${why}`)),
      onAlarm: (message) => this.alarms.push(message),
    });
    if (text === undefined) line.end(1000, '');
    else if (text !== 'silence') line.a.send(text);
    await handled;
    await settled();
    return answer;
  }

  says(request: object, key = ONE, address = '192.0.2.1'): Promise<EnrolAnswer | undefined> {
    return this.hears(JSON.stringify({ protocol: PROTOCOL, name: 'mds1', ...request }), key, address);
  }

  token(name = 'mds1', key = ONE, replace = false): object {
    const added = this.registry.addToken({ name, ttlMs: 3_600_000, replace, now: this.clock.now() });
    assert.ok(added.ok);
    return proved(added.token, key);
  }
}

/** The request to enrol with a token, over {@link TLS}. */
function proved({ id, secret, name }: TokenParts, key: Identity): object {
  const proof = proveEnrolment({ secret, binding: tlsBinding(TLS), agentPin: key.pin, name });
  return { type: 'enrol', name, token: { id, proof } };
}

const refused = (answer: EnrolAnswer | undefined, why: RegExp): void => {
  assert.equal(answer?.type, 'refused');
  assert.match(answer.type === 'refused' ? answer.reason : '', why);
};

describe('An MDS with a join token', () => {
  it('gets a certificate for the key that it has proved to hold, and the directories', async (t) => {
    const main = new Main(t);
    const answer = await main.says(main.token());
    assert.ok(answer?.type === 'enrolled');
    assert.deepEqual(answer.directories, [{ name: 'moh', path: '/var/lib/xivo/moh' }]);
    const certificate = new X509Certificate(answer.certificate);
    assert.equal(
      whyNoSession({
        certificateDer: certificate.raw,
        mainCertificatePem: MAIN.certificatePem,
        name: 'mds1',
        now: Date.now(),
      }),
      undefined,
    );
    assert.equal(main.registry.findByPin(ONE.pin)?.certificateNotAfter, validity(certificate).notAfter);
    assert.deepEqual(main.log, ['enrolled']);
  });

  it('gets another one when the first answer was lost, whatever became of the token', async (t) => {
    const main = new Main(t);
    const added = main.registry.addToken({
      name: 'mds1',
      ttlMs: 3_600_000,
      replace: false,
      now: main.clock.now(),
    });
    assert.ok(added.ok);
    for (let i = 0; i < 2; i++) assert.equal((await main.says(proved(added.token, ONE)))?.type, 'enrolled');
    refused(await main.says(proved(added.token, TWO), TWO, '192.0.2.66'), /was used by/);
    assert.equal(main.alarms.length, 1, 'another key with a used token is an alarm');
    assert.match(main.alarms[0] ?? '', /^enrolment of mds1 from 192\.0\.2\.66: /);
  });

  it('is refused with a proof that was made for another key', async (t) => {
    const main = new Main(t);
    refused(await main.says(main.token('mds1', TWO)), /proof/);
    assert.equal(main.registry.findByPin(ONE.pin), undefined);
  });

  it('ends the sessions of the key that had its name', async (t) => {
    const main = new Main(t);
    await main.says(main.token());
    await main.says(main.token('mds1', TWO, true), TWO);
    assert.deepEqual(main.revoked, [`${ONE.pin.slice(0, 8)} another key took its name`]);
  });
});

describe('An MDS without a token', () => {
  it('waits for a person, who compares the fingerprint; asking again costs nothing', async (t) => {
    const main = new Main(t);
    main.requests = new TokenBucket(main.clock, { most: 1, refillMs: 60_000 });
    const first = await main.says({ type: 'enrol' });
    assert.ok(first?.type === 'pending' && first.fingerprint !== '');
    assert.deepEqual(await main.says({ type: 'enrol' }), first);
    assert.deepEqual(main.log, ['enrolment waits for approval', 'enrolment still waits for approval']);
    refused(await main.says({ type: 'enrol', name: 'mds2' }, TWO), /too many are asking/);
    refused(await main.says({ type: 'enrol' }, ONE, '192.0.2.2'), /too many are asking/);
    main.registry.approve('mds1', 0);
    assert.equal((await main.says({ type: 'renew' }))?.type, 'enrolled');
  });

  it("learns Main's next key while it waits, and says that it has stored it", async (t) => {
    const main = new Main(t);
    const pin = await main.rotation.begin(MAIN);
    const answer = await main.says({ type: 'enrol' });
    assert.ok(answer?.type === 'pending' && answer.nextIdentity === pin);
    assert.deepEqual(main.rotation.unapproved, ['mds1']);
    await main.says({ type: 'renew', knowsIdentity: pin });
    assert.deepEqual(main.rotation.unapproved, []);
  });
});

describe('A key that is enrolled', () => {
  it('gets a new certificate under the name that it has, whatever it calls itself', async (t) => {
    const main = new Main(t);
    await main.says(main.token());
    const answer = await main.says({ type: 'renew', name: 'mds9' });
    assert.ok(answer?.type === 'enrolled');
    assert.equal(new X509Certificate(answer.certificate).subject, 'CN=mds1');
    refused(await main.says({ type: 'renew' }, TWO), /does not know the key/);
  });

  it('gets so many, and no more at once: each one costs Main a signature', async (t) => {
    const main = new Main(t);
    await main.says(main.token());
    for (let i = 1; i < 10; i++) assert.equal((await main.says({ type: 'renew' }))?.type, 'enrolled');
    refused(
      await main.says({ type: 'renew' }),
      /has signed too many certificates recently for mds1: .* 60 s/,
    );
    await main.says(main.token('mds2', TWO), TWO);
    assert.ok(main.registry.findByPin(TWO.pin), 'another MDS is not hindered');
    main.clock.advance(60_000);
    assert.equal((await main.says({ type: 'renew' }))?.type, 'enrolled');
  });

  it('may leave, and takes no other MDS with it', async (t) => {
    const main = new Main(t);
    await main.says(main.token());
    await main.says(main.token('mds2', TWO), TWO);
    assert.deepEqual(await main.says({ type: 'leave', name: 'mds2' }), { type: 'left' });
    assert.equal(main.registry.findByPin(ONE.pin), undefined);
    assert.ok(main.registry.findByPin(TWO.pin));
    assert.deepEqual(main.revoked, [`${ONE.pin.slice(0, 8)} this MDS has left`]);
    assert.deepEqual(await main.says({ type: 'leave' }), { type: 'left' }, 'it is gone already');
    refused(await main.says({ type: 'renew' }), /may no longer connect: it was removed on Main/);
  });
});

describe('A peer that asks for nothing sensible', () => {
  for (const [what, text] of [
    ['no JSON', 'enrol me'],
    ['another message', JSON.stringify({ type: 'hello' })],
    ['a binary frame', Buffer.from('{}')],
  ] as const) {
    it(`is refused: ${what}`, async (t) => {
      const main = new Main(t);
      refused(await main.hears(text), /that is not an enrolment request/);
      assert.deepEqual(main.log, ['enrolment refused']);
    });
  }

  it('learns which side to upgrade when it speaks another protocol', async (t) => {
    const main = new Main(t);
    refused(await main.says({ type: 'enrol', protocol: { oldest: 8, newest: 9 } }), /upgrade Main/);
  });

  it('is not even logged when it only looks whether Main is there', async (t) => {
    const main = new Main(t);
    assert.equal(await main.hears(undefined), undefined);
    assert.deepEqual(main.log, []);
    assert.equal(main.clock.timers, 0);
  });

  it('is given ten seconds', async (t) => {
    const main = new Main(t);
    const answered = main.hears('silence');
    await settled();
    main.clock.advance(9_999);
    assert.equal(main.clock.timers, 1);
    main.clock.advance(1);
    refused(await answered, /not an enrolment request/);
  });
});
