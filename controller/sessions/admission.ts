import type { Pin } from '#host/identity/pin.ts';
import type { MediaServers } from '../mediaServers/mediaServers.ts';
import { refuseSession } from '../registry/admitSession.ts';
import type { Registry } from '../registry/registry.ts';
import type { PeerLog } from '../server/peerLog.ts';
import type { SessionRefusal } from '../server/server.ts';

export type AdmissionOptions = {
  readonly registry: Registry;
  readonly mediaServers: MediaServers;
  readonly peerLog: PeerLog;
  /** Main's own certificate, PEM. */
  readonly certificatePem: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

/**
 * Decides whether a peer may open a session: its key is enrolled, its certificate is valid, and XiVO lists its MDS. A
 * refusal is logged, except one that only asks for a new certificate.
 * @returns the refusal; undefined when the session is allowed
 */
export function refuseAdmission(
  options: AdmissionOptions,
  peer: { readonly pin: Pin; readonly certificateDer: Uint8Array; readonly address: string },
): SessionRefusal | undefined {
  const { registry, mediaServers, peerLog } = options;
  const { pin, address } = peer;
  const main = { certificatePem: options.certificatePem(), now: options.now() };
  const refused = refuseSession(registry, peer, main);
  if (refused !== undefined) {
    if (!refused.renew) peerLog.warn('connection refused', address, { reason: refused.reason, pin });
    return refused;
  }
  const name = registry.findByPin(pin)?.name;
  const reason = name === undefined ? undefined : mediaServers.whySuspended(name);
  if (reason === undefined) return undefined;
  peerLog.warn('connection refused', address, { reason });
  return { reason, renew: false };
}
