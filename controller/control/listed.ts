import type { Registry } from '../registry/registry.ts';
import type { MediaServer } from '../mediaServers/mediaServer.ts';
import type { MediaServers } from '../mediaServers/mediaServers.ts';
import type { MdsStatus } from './contract/contract.ts';

/**
 * Adds problems with XiVO's list to the status of an MDS: it is no longer in the list, or connects from another
 * address.
 */
export function comparedWithList(mds: MdsStatus, list: MediaServers, now: number): MdsStatus {
  const message = list.whySuspended(mds.name) ?? otherAddress(mds, list.servers?.get(mds.name));
  if (message === undefined) return mds;
  return { ...mds, errors: [...mds.errors, { at: new Date(now).toISOString(), path: '', message }] };
}

/** MDS in the list that were never enrolled and are not waiting for approval. */
export function neverEnrolled(list: MediaServers, registry: Registry): readonly MediaServer[] {
  const { agents, pending, revoked } = registry.list();
  const known = new Set([...agents, ...pending, ...revoked].map(({ name }) => name));
  return [...(list.servers?.values() ?? [])].filter(({ name }) => !known.has(name));
}

function otherAddress(mds: MdsStatus, listed: MediaServer | undefined): string | undefined {
  if (mds.state !== 'connected' || !listed?.voipIp || listed.voipIp === mds.address) return undefined;
  return `it connects from ${mds.address}, and its VoIP IP in XiVO's list is ${listed.voipIp}: set "localAddress" in its agent.yml, or correct the list`;
}
