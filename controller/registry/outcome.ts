import type { RegistryState } from './records.ts';

/** No, and why, in words for the person at the other end. `alarm`: someone on Main should look at it too. */
export type Refusal = { readonly ok: false; readonly refused: string; readonly alarm: boolean };

/** What a transition comes to: a new state and a result, or a refusal that changes nothing. */
export type Transition<Result> =
  { readonly ok: true; readonly state: RegistryState; readonly result: Result } | Refusal;

/** What the registry answers once a change is durable. */
export type Outcome<Result> = ({ readonly ok: true } & Result) | Refusal;

export function refusal(refused: string): Refusal {
  return { ok: false, refused, alarm: false };
}

export function alarm(refused: string): Refusal {
  return { ok: false, refused, alarm: true };
}
