import type { Pin } from '#host/identity/pin.ts';
import type { Agent, RegistryState } from './records.ts';
import { MOST_REVOKED } from './limits.ts';
import { refusal } from './transition.ts';
import type { Transition } from './transition.ts';

export type Admitted = {
  readonly agent: Agent;
  /** The key that had this name before; its connections have to be closed. */
  readonly replacedPin?: Pin;
};

/**
 * Enrols (name, pin) as an agent, after a token or a person's approval. All enrolments go through here.
 *
 * Invariant: a name has one key and a key has one name. If the name was known before, replaced or removed, `replacedAt` is
 * set, so that no record about the old disk causes a removal on the new one.
 */
export function admit(
  state: RegistryState,
  newcomer: { name: string; pin: Pin; voipIp?: string; replace: boolean; now: number },
): Transition<Admitted> {
  const { name, pin, voipIp, replace, now } = newcomer;
  const holder = state.agents.find((agent) => agent.name === name);
  if (holder !== undefined && !replace) return refusal(alreadyEnrolled(name));
  const other = state.agents.find((agent) => agent.pin === pin && agent.name !== name);
  if (other !== undefined) return refusal(enrolledAsOther(other.name));

  const knownBefore = holder !== undefined || state.revoked.some((revoked) => revoked.name === name);
  const agent: Agent = {
    name,
    pin,
    ...(voipIp === undefined ? {} : { voipIp }),
    enrolledAt: now,
    ...(knownBefore ? { replacedAt: now } : {}),
  };
  const replacedPin = holder === undefined || holder.pin === pin ? undefined : holder.pin;
  // Rows of other names stay, even with this key: they prove that those names were known before.
  const revoked = state.revoked.filter((entry) => entry.pin !== pin || entry.name !== name);
  return {
    ok: true,
    state: {
      ...state,
      agents: [...state.agents.filter((entry) => entry.name !== name), agent],
      pending: state.pending.filter((entry) => entry.name !== name && entry.pin !== pin),
      revoked:
        replacedPin === undefined
          ? revoked
          : [...revoked, { name, pin: replacedPin, at: now }].slice(-MOST_REVOKED),
    },
    result: { agent, ...(replacedPin === undefined ? {} : { replacedPin }) },
  };
}

/** The message for a name that is already enrolled. */
export function alreadyEnrolled(name: string): string {
  return `${name} is already enrolled: use --replace to enrol it again, for a reinstalled MDS`;
}

/** The message for a key that is already enrolled under another name. */
export function enrolledAsOther(name: string): string {
  return (
    `the key of this MDS is already enrolled, as ${name}: ` +
    'run `xivo-xds-sync-agent leave` there first to enrol it under another name'
  );
}
