import type { Pin } from '#host/identity/pin.ts';
import { MOST_REVOKED } from './limits.ts';
import { refusal } from './outcome.ts';
import type { Transition } from './outcome.ts';
import type { RegistryState } from './records.ts';

export type Removed = {
  /** Keys that were enrolled or waiting under the name: close their connections. */
  readonly pins: readonly Pin[];
};

/**
 * Takes an MDS out: its key is revoked, its request dropped, and a token for it that was not used yet withdrawn, since
 * that would let it in again. Used tokens stay, so that using one again is recognised.
 */
export function remove(state: RegistryState, name: string, now: number): Transition<Removed> {
  const agents = state.agents.filter((agent) => agent.name === name);
  const pending = state.pending.filter((entry) => entry.name === name);
  const isWithdrawn = (token: RegistryState['tokens'][number]): boolean =>
    token.name === name && token.usedAt === undefined;
  if (agents.length === 0 && pending.length === 0 && !state.tokens.some(isWithdrawn)) {
    return refusal(`there is no MDS "${name}" (see xivo-xds-sync mds list)`);
  }
  const revoked = agents.map(({ pin }) => ({ name, pin, at: now }));
  return {
    ok: true,
    state: {
      ...state,
      agents: state.agents.filter((agent) => agent.name !== name),
      pending: state.pending.filter((entry) => entry.name !== name),
      tokens: state.tokens.filter((token) => !isWithdrawn(token)),
      revoked: [...state.revoked, ...revoked].slice(-MOST_REVOKED),
    },
    result: { pins: [...agents, ...pending].map(({ pin }) => pin) },
  };
}
