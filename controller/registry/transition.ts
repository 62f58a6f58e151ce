import type { RegistryState } from './records.ts';

/** A refusal with a message for the person at the other end. `alarm`: an administrator of Main should see it, too. */
export type RegistryRefusal = { readonly ok: false; readonly refused: string; readonly alarm: boolean };

/** Result of a transition: a new state and a result, or a refusal without any change. */
export type Transition<Result> =
  { readonly ok: true; readonly state: RegistryState; readonly result: Result } | RegistryRefusal;

/** The registry's answer, given once the change is durable. */
export type RegistryAnswer<Result> = ({ readonly ok: true } & Result) | RegistryRefusal;

/** A refusal without an alarm. */
export function refusal(refused: string): RegistryRefusal {
  return { ok: false, refused, alarm: false };
}

/** A refusal that an administrator should see, too. */
export function alarm(refused: string): RegistryRefusal {
  return { ok: false, refused, alarm: true };
}
