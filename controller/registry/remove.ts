import type { Pin } from '#host/identity/pin.ts';
import { MOST_REVOKED } from './limits.ts';
import { refusal } from './transition.ts';
import type { Transition } from './transition.ts';
import type { RegistryState } from './records.ts';

export type Removed = {
  /** Keys that were enrolled or pending under the name; their connections have to be closed. */
  readonly pins: readonly Pin[];
  /** What there was of it; a join token of one that is enrolled, or asks to be, goes with that. */
  readonly was: 'enrolled' | 'pending' | 'token';
};

/**
 * Removes an MDS: its key is revoked, its request dropped, and its unused tokens are withdrawn, since they would admit it
 * again. Used tokens stay, so that their reuse is recognised.
 */
export function remove(state: RegistryState, name: string, now: number): Transition<Removed> {
  const agents = state.agents.filter((agent) => agent.name === name);
  const pending = state.pending.filter((entry) => entry.name === name);
  const isWithdrawn = (token: RegistryState['tokens'][number]): boolean =>
    token.name === name && token.usedAt === undefined;
  if (agents.length === 0 && pending.length === 0 && !state.tokens.some(isWithdrawn)) {
    if (state.revoked.some((each) => each.name === name))
      return refusal(`${name} was removed already; lists name it until "xivo-xds-sync mds forget ${name}"`);
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
    result: {
      pins: [...agents, ...pending].map(({ pin }) => pin),
      was: agents.length > 0 ? 'enrolled' : pending.length > 0 ? 'pending' : 'token',
    },
  };
}
