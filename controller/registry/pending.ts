import { isMdsName, MDS_NAME_RULE } from '#core/mdsName.ts';
import type { Pin } from '#host/identity/pin.ts';
import { plainAddress } from './address.ts';
import { admit, alreadyEnrolled, enrolledAsOther } from './admit.ts';
import type { Admitted } from './admit.ts';
import { MOST_PENDING, MOST_PENDING_FROM_ONE_ADDRESS } from './limits.ts';
import { refusal } from './transition.ts';
import type { Transition } from './transition.ts';
import type { Pending, RegistryState } from './records.ts';

/**
 * Adds a request to enrol without a token.
 *
 * Invariant: each name has one pending key, the first that asked, so that `approve` admits the key whose fingerprint the
 * person compared. A repeated request of that key only updates the address.
 */
export function requestPending(
  state: RegistryState,
  request: { name: string; pin: Pin; address: string; now: number },
): Transition<{ pending: Pending }> {
  const { name, pin, now } = request;
  const address = plainAddress(request.address);
  if (!isMdsName(name)) return refusal(`this is not a valid MDS name: ${MDS_NAME_RULE}`);
  const enrolled = state.agents.find((agent) => agent.name === name || agent.pin === pin);
  if (enrolled !== undefined) {
    return refusal(enrolled.name === name ? alreadyEnrolled(name) : enrolledAsOther(enrolled.name));
  }
  const waiting = state.pending.find((entry) => entry.name === name);
  if (waiting !== undefined && waiting.pin !== pin) {
    return refusal(
      `another machine, at ${waiting.address}, has already asked to enrol as ${name}: ` +
        `run "xivo-xds-sync mds remove ${name}" on Main to drop that request, then ask again`,
    );
  }
  // A key is pending under one name, the last one that it asked for.
  const others = state.pending.filter((entry) => entry.pin !== pin);
  if (others.length >= MOST_PENDING) {
    return refusal(
      `${MOST_PENDING} machines are already waiting to be approved: use a join token, or drop requests on Main ` +
        'with `xivo-xds-sync mds remove NAME`',
    );
  }
  if (others.filter((entry) => entry.address === address).length >= MOST_PENDING_FROM_ONE_ADDRESS) {
    return refusal(
      `${MOST_PENDING_FROM_ONE_ADDRESS} machines at ${address} are already waiting to be approved: use a join ` +
        'token, or drop requests on Main with `xivo-xds-sync mds remove NAME`',
    );
  }
  if (waiting !== undefined && waiting.address === address) {
    return { ok: true, state, result: { pending: waiting } };
  }
  const pending: Pending = { name, pin, address, at: waiting?.at ?? now };
  return { ok: true, state: { ...state, pending: [...others, pending] }, result: { pending } };
}

/** Admits the pending MDS of this name, after a person compared the fingerprints. */
export function approve(state: RegistryState, name: string, now: number): Transition<Admitted> {
  const waiting = state.pending.find((entry) => entry.name === name);
  if (waiting === undefined) {
    return refusal(
      `no MDS is waiting to enrol as ${name}: run "xivo-xds-sync-agent enroll" there, or look at ` +
        '`xivo-xds-sync mds list`',
    );
  }
  return admit(state, { name, pin: waiting.pin, replace: false, now });
}
