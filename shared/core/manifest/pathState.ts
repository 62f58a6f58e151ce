import type { Entry } from './entry.ts';

/**
 * What a side knows about an existing path; undefined stands for a path that does not exist.
 * - `settled`: what it holds, quiet and read whole.
 * - `moving`: being written or removed right now; `last` is what it held before, when that is known.
 * - `special`: a socket, device, fifo, or a link that leads outside: present, but never travels.
 * - `unreadable`: present, but reading failed, so nothing may be concluded about it.
 */
export type PathState =
  | { readonly kind: 'settled'; readonly entry: Entry }
  | { readonly kind: 'moving'; readonly last?: Entry }
  | { readonly kind: 'special'; readonly what: string }
  | { readonly kind: 'unreadable'; readonly errno: string };

/** The state of a path that is being written, with what it held before: one object for all that held nothing. */
export function movingState(last: Entry | undefined): PathState & { readonly kind: 'moving' } {
  return last === undefined ? MOVING : { kind: 'moving', last };
}

const MOVING = { kind: 'moving' } as const;

/** The entry at the path; undefined for every other state. */
export function entryOf(state: PathState | undefined): Entry | undefined {
  return state?.kind === 'settled' ? state.entry : undefined;
}
