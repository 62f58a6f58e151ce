import { whyNoSession } from '#host/identity/certificate.ts';
import type { Pin } from '#host/identity/pin.ts';
import type { Registry } from './registry.ts';

/** A refused session with its reason. `renew`: the key is enrolled, but needs a new certificate. */
export type NoSession = { readonly reason: string; readonly renew: boolean };

/**
 * Decides whether a key with this certificate may open a session: the key is enrolled, and the certificate was issued by
 * Main for its name and is valid now. Neither key nor certificate is enough alone.
 * @returns the refusal; undefined when the session is allowed
 */
export function refuseSession(
  registry: Registry,
  peer: { readonly pin: Pin; readonly certificateDer: Uint8Array },
  main: { readonly certificatePem: string; readonly now: number },
): NoSession | undefined {
  const agent = registry.findByPin(peer.pin);
  if (agent === undefined) return notEnrolled(registry, peer.pin);
  const why = whyNoSession({
    certificateDer: peer.certificateDer,
    mainCertificatePem: main.certificatePem,
    name: agent.name,
    now: main.now,
  });
  return why === undefined ? undefined : { reason: `${why}: renew it`, renew: true };
}

/** The same, for a key that asks for a certificate. */
export function notEnrolled(registry: Registry, pin: Pin): NoSession {
  const revoked = registry.findRevoked(pin);
  if (revoked !== undefined) {
    const { name, at } = revoked;
    const enrolledAgain = registry.list().agents.some((agent) => agent.name === name);
    const what = enrolledAgain ? 'another key was enrolled under its name' : 'it was removed on Main';
    return {
      reason: `this MDS (${name}) may no longer connect: ${what} at ${new Date(at).toISOString()}. Its files are kept. To enrol it again, run "xivo-xds-sync mds add ${name}${enrolledAgain ? ' --replace' : ''}" on Main, and "xivo-xds-sync-agent enroll" here with the token that it prints`,
      renew: false,
    };
  }
  if (registry.findPending(pin) !== undefined) return { reason: 'waits for approval on Main', renew: true };
  return {
    reason:
      'Main does not know the key of this MDS: enrol it again (Main may have been restored from a backup that is older than the enrolment)',
    renew: false,
  };
}
