import { X509Certificate } from 'node:crypto';
import { type EnrolAnswer, type EnrolRequest, enrolRequestSchema } from '#protocol/messages/enrolment.ts';
import { negotiate, PROTOCOL } from '#protocol/version.ts';
import type { DirectoryConfig } from '#host/config/directoryConfig.ts';
import { type Identity, validity } from '#host/identity/certificate.ts';
import { enrolmentFingerprint } from '#host/identity/enrolmentFingerprint.ts';
import { tlsBinding, verifyEnrolment } from '#host/identity/enrolmentProof.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';
import { closeSocket } from '#wire/closeSocket.ts';
import { notEnrolled } from '../registry/admitSession.ts';
import type { Registry } from '../registry/registry.ts';
import type { PeerLog } from '../server/peerLog.ts';
import type { Peer } from '../server/server.ts';
import type { TokenBucket } from './tokenBucket.ts';
import type { Rotation } from './keyRotation.ts';
import type { SigningLimit } from './signingLimit.ts';

/** A peer that asks to enrol has this long to say so, milliseconds. */
const REQUEST_TIMEOUT = 10_000;

/** What an enrolled MDS gets from Main: its keys, a certificate, and the directories. */
export type EnrollingMain = {
  readonly identity: Identity;
  readonly rotation: Rotation;
  readonly directories: readonly DirectoryConfig[];
  /** How long a certificate holds, milliseconds. */
  readonly certificateLifeMs: number;
};

/** What bounds the work that a peer can cause. */
export type EnrolmentLimits = {
  /** Limits what unauthenticated clients can make Main write. */
  readonly requests: TokenBucket;
  /** Bounds what one MDS can make Main sign. */
  readonly signing: SigningLimit;
};

export type EnrolmentOptions = {
  readonly registry: Registry;
  readonly main: EnrollingMain;
  readonly limits: EnrolmentLimits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly peerLog: PeerLog;
  /** Keys that lost their place: their sessions end. */
  readonly onRevoked: (pins: readonly string[], why: string) => void;
  readonly onAlarm: (message: string) => void;
};

type PendingAnswer = Extract<EnrolAnswer, { type: 'pending' }>;

/** Answers one peer that wants to become an agent, or a new certificate, or to be an agent no more. */
export async function handleEnrolment(peer: Peer, options: EnrolmentOptions): Promise<void> {
  const { socket, address } = peer;
  socket.on('error', () => socket.terminate());
  const request = await receiveRequest(peer, options.clock);
  // `doctor` on an MDS only checks whether Main answers, and with which key; no request was refused.
  if (request === 'nothing') return;
  let answer: EnrolAnswer;
  try {
    answer =
      request === undefined
        ? refused('that is not an enrolment request')
        : await decide(peer, request, options);
  } catch (error) {
    options.log.error('an enrolment request could not be handled', { address, error });
    answer = refused('Main could not do that: see its log');
  }
  if (answer.type === 'refused')
    options.peerLog.warn('enrolment refused', address, { reason: answer.reason });
  socket.send(JSON.stringify(answer));
  closeSocket(socket, options.clock);
}

async function decide(peer: Peer, request: EnrolRequest, options: EnrolmentOptions): Promise<EnrolAnswer> {
  const agreed = negotiate(PROTOCOL, request.protocol);
  if ('refusal' in agreed) return refused(agreed.refusal);
  switch (request.type) {
    case 'enrol':
      return enrol(peer, request, options);
    case 'renew':
      return renew(peer, request, options);
    case 'leave':
      return leave(peer, options);
  }
}

async function enrol(
  peer: Peer,
  { name, token }: Extract<EnrolRequest, { type: 'enrol' }>,
  options: EnrolmentOptions,
): Promise<EnrolAnswer> {
  const { registry, limits, clock, log, peerLog } = options;
  const { pin, address } = peer;
  // The answer to an earlier request may have been lost: the same key under the same name is welcome.
  if (registry.findByPin(pin)?.name === name) return enrolled(name, peer, options);
  if (token === undefined) {
    const waiting = registry.findPending(pin);
    const again = waiting?.name === name && waiting.address === address;
    if (!again && !limits.requests.take())
      return refused('too many are asking to enrol: try again in a minute');
    const asked = registry.requestPending({ name, pin, address, now: clock.now() });
    if (!asked.ok) return refused(asked.refused);
    const answer = pending(peer, options);
    const { fingerprint } = answer;
    // Asking again changes nothing and costs nothing, so it must not fill the log either.
    if (again) peerLog.warn('enrolment still waits for approval', address, { mds: name, fingerprint });
    else log.warn('enrolment waits for approval', { mds: name, address, fingerprint });
    return answer;
  }
  const outcome = registry.enrolWithToken({
    id: token.id,
    name,
    pin,
    address,
    now: clock.now(),
    proofOk: (verifier) =>
      verifyEnrolment({ verifier, proof: token.proof, binding: tlsBinding(peer.tls), agentPin: pin, name }),
  });
  if (!outcome.ok) {
    if (outcome.alarm) options.onAlarm(`enrolment of ${name} from ${address}: ${outcome.refused}`);
    return refused(outcome.refused);
  }
  if (outcome.replacedPin !== undefined)
    options.onRevoked([outcome.replacedPin], 'another key took its name');
  log.info('enrolled', { mds: name, address, pin });
  return enrolled(name, peer, options);
}

/** The connection proves that the peer holds a key that is enrolled; an old certificate, or none of Main's, is enough. */
async function renew(
  peer: Peer,
  { knowsIdentity }: Extract<EnrolRequest, { type: 'renew' }>,
  options: EnrolmentOptions,
): Promise<EnrolAnswer> {
  const { registry, main, log } = options;
  const agent = registry.findByPin(peer.pin);
  if (agent !== undefined) {
    const answer = await enrolled(agent.name, peer, options);
    if (answer.type === 'enrolled')
      log.info('certificate issued', { mds: agent.name, address: peer.address });
    return answer;
  }
  if (registry.findPending(peer.pin) !== undefined) {
    if (knowsIdentity !== undefined) main.rotation.learnedUnapproved(peer.pin, knowsIdentity);
    return pending(peer, options);
  }
  return refused(notEnrolled(registry, peer.pin).reason);
}

/** The holder of a key may always leave with it, and can remove no other key. */
function leave(peer: Peer, options: EnrolmentOptions): EnrolAnswer {
  const { registry, clock, log } = options;
  const known = registry.findByPin(peer.pin) ?? registry.findPending(peer.pin);
  // It is already gone, as requested.
  if (known === undefined) return { type: 'left' };
  const removed = registry.remove(known.name, clock.now());
  if (!removed.ok) return refused(removed.refused);
  options.onRevoked(removed.pins, 'this MDS has left');
  log.warn('MDS has left', { mds: known.name, address: peer.address });
  return { type: 'left' };
}

/** Main signs a certificate for the key that the peer has just proved to hold. */
async function enrolled(name: string, peer: Peer, options: EnrolmentOptions): Promise<EnrolAnswer> {
  const { registry, main, limits } = options;
  const { identity, certificateLifeMs } = main;
  const no = limits.signing.refuse(name, peer.pin);
  if (no !== undefined) return refused(no);
  const key = new X509Certificate(peer.certificate).publicKey;
  const { issueAgentCertificate } = await import('#host/identity/issueCertificate.ts');
  const certificate = await issueAgentCertificate({
    mainKeyPem: identity.keyPem,
    mainCertificatePem: identity.certificatePem,
    agentSpki: key.export({ type: 'spki', format: 'der' }),
    name,
    lifeMs: certificateLifeMs,
  });
  // It may have been removed while that was signed.
  const recorded = registry.recordCertificate(peer.pin, validity(certificate).notAfter);
  if (!recorded.ok) return refused(recorded.refused);
  const directories = main.directories.map(({ name: directory, path }) => ({ name: directory, path }));
  return { type: 'enrolled', name, certificate, directories };
}

/** The connection under Main's key vouches for the next one, as a session does for those who have one. */
function pending(peer: Peer, { main }: EnrolmentOptions): PendingAnswer {
  const { identity, rotation } = main;
  const fingerprint = enrolmentFingerprint({ mainPin: identity.pin, agentPin: peer.pin });
  return { type: 'pending', fingerprint, nextIdentity: rotation.nextPin };
}

/** @returns undefined after a timeout, a lost connection or an invalid message, which need no answer */
async function receiveRequest({ socket }: Peer, clock: Clock): Promise<EnrolRequest | 'nothing' | undefined> {
  const { promise: received, resolve } = Promise.withResolvers<Buffer | 'nothing' | undefined>();
  const giveUp = (): void => resolve(undefined);
  const left = (): void => resolve('nothing');
  const cancel = clock.after(REQUEST_TIMEOUT, giveUp);
  socket.once('message', (data, isBinary) => resolve(isBinary ? undefined : (data as Buffer)));
  socket.once('close', left);
  if (socket.readyState !== socket.OPEN) left();
  try {
    const data = await received;
    if (data === 'nothing') return data;
    return data && enrolRequestSchema.safeParse(JSON.parse(data.toString('utf8'))).data;
  } catch {
    return undefined;
  } finally {
    cancel();
    socket.off('close', left);
  }
}

function refused(reason: string): EnrolAnswer {
  return { type: 'refused', reason };
}
