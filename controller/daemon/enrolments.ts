import { once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import { type EnrolAnswer, enrolRequestSchema } from '../../protocol/messages.ts';
import { negotiate, PROTOCOL } from '../../protocol/version.ts';
import type { DirectoryConfig } from '../../shared/config/directoryConfig.ts';
import {
  AGENT_CERTIFICATE_DAYS,
  type Identity,
  issueAgentCertificate,
  validity,
} from '../../shared/identity/certificate.ts';
import { enrolmentFingerprint } from '../../shared/identity/enrolmentFingerprint.ts';
import { pinOfCertificate } from '../../shared/identity/pin.ts';
import { tlsBinding, verifyEnrolment } from '../../shared/identity/enrolmentProof.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { Clock } from '../../shared/time/clock.ts';
import type { Registry } from '../registry/registry.ts';
import type { Peer } from '../server/server.ts';

/** A peer that asks to enrol has this long to say so, milliseconds. */
const REQUEST_TIMEOUT = 10_000;

export type EnrolmentOptions = {
  readonly registry: Registry;
  readonly identity: Identity;
  readonly directories: readonly DirectoryConfig[];
  readonly clock: Clock;
  readonly log: Logger;
  /** A key lost its place to another one: its session ends. */
  readonly onReplaced: (pin: string) => void;
  readonly onAlarm: (message: string) => void;
};

/** Answers one peer that wants to become an agent. */
export async function handleEnrolment(peer: Peer, options: EnrolmentOptions): Promise<void> {
  const { socket } = peer;
  socket.on('error', () => socket.terminate());
  const answer = await decideEnrolment(peer, options);
  socket.send(JSON.stringify(answer));
  socket.close(1000);
}

async function decideEnrolment(peer: Peer, options: EnrolmentOptions): Promise<EnrolAnswer> {
  const { registry, clock, log } = options;
  const request = await receiveRequest(peer);
  if (request === undefined) return refused('that is no enrolment request');
  const agreed = negotiate(PROTOCOL, request.protocol);
  if ('refusal' in agreed) return refused(agreed.refusal);
  const { name, token } = request;
  const { pin, address } = peer;
  // The answer to an earlier request may have been lost: the same key under the same name is welcome.
  const known = registry.findByPin(pin);
  if (known?.name === name) return enrolled(name, peer, options);
  if (token === undefined) {
    const asked = registry.requestPending({ name, pin, address, now: clock.now() });
    if (!asked.ok) return refused(asked.refused);
    const fingerprint = enrolmentFingerprint({ mainPin: options.identity.pin, agentPin: pin });
    log.warn('enrolment waits for approval', { mds: name, address, fingerprint });
    return { type: 'pending', fingerprint };
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
    log.warn('enrolment refused', { mds: name, address, reason: outcome.refused });
    if (outcome.alarm) options.onAlarm(`enrolment of ${name} from ${address}: ${outcome.refused}`);
    return refused(outcome.refused);
  }
  if (outcome.replacedPin !== undefined) options.onReplaced(outcome.replacedPin);
  log.info('enrolled', { mds: name, address, pin });
  return enrolled(name, peer, options);
}

async function enrolled(name: string, peer: Peer, options: EnrolmentOptions): Promise<EnrolAnswer> {
  const certificate = await issueFor(name, peer.certificate, options);
  const directories = options.directories.map(({ name: directory, path }) => ({ name: directory, path }));
  return { type: 'enrolled', name, certificate, directories };
}

/** Main signs a certificate for the key that the peer has just proved to hold. */
export async function issueFor(
  name: string,
  shown: Uint8Array,
  { registry, identity }: Pick<EnrolmentOptions, 'registry' | 'identity'>,
): Promise<string> {
  const key = new X509Certificate(shown).publicKey;
  const certificate = await issueAgentCertificate({
    mainKeyPem: identity.keyPem,
    mainCertificatePem: identity.certificatePem,
    agentSpki: key.export({ type: 'spki', format: 'der' }),
    name,
    days: AGENT_CERTIFICATE_DAYS,
  });
  registry.recordCertificate(pinOfCertificate(shown), validity(certificate).notAfter);
  return certificate;
}

async function receiveRequest({
  socket,
}: Peer): Promise<ReturnType<typeof enrolRequestSchema.parse> | undefined> {
  try {
    const [data, isBinary] = (await once(socket, 'message', {
      signal: AbortSignal.timeout(REQUEST_TIMEOUT),
    })) as [Buffer, boolean];
    if (isBinary) return undefined;
    return enrolRequestSchema.safeParse(JSON.parse(data.toString('utf8'))).data;
  } catch {
    // Silence, a lost connection or something that is not JSON: there is nobody to tell more.
    return undefined;
  }
}

function refused(reason: string): EnrolAnswer {
  return { type: 'refused', reason };
}
