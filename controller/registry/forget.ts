import { refusal } from './transition.ts';
import type { Transition } from './transition.ts';
import type { RegistryState } from './records.ts';

/**
 * Drops the record of a removed MDS. Its key stays refused as not enrolled, but no longer as removed. An MDS that is
 * enrolled or waits for approval has to be removed first.
 */
export function forget(state: RegistryState, name: string): Transition<{ name: string }> {
  const isNamed = (each: { readonly name: string }): boolean => each.name === name;
  if (state.agents.some(isNamed) || state.pending.some(isNamed)) {
    const how = state.agents.some(isNamed) ? 'is enrolled' : 'asks to join';
    return refusal(`${name} ${how}: run "xivo-xds-sync mds remove ${name}" first`);
  }
  if (!state.revoked.some(isNamed)) {
    return refusal(`${name} was never enrolled: remove it from the list of media servers that Main reads`);
  }
  const revoked = state.revoked.filter((each) => !isNamed(each));
  return { ok: true, state: { ...state, revoked }, result: { name } };
}
