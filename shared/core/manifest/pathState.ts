import type { Entry } from './entry.ts';

/**
 * What a side knows about a path.
 * - `settled`: what it holds, quiet and read whole.
 * - `moving`: being written or removed right now; `last` is what it held before, when that is known.
 * - `special`: a socket, device, fifo, or a link that leads outside: present, but never travels.
 * - `unreadable`: present, but reading failed: nothing may be concluded from it.
 */
export type PathState =
  | { readonly kind: 'settled'; readonly entry: Entry }
  | { readonly kind: 'moving'; readonly last?: Entry }
  | { readonly kind: 'special'; readonly what: string }
  | { readonly kind: 'unreadable'; readonly errno: string };

/** What a side has at a path: a state, or nothing at all. */
export type Sight = PathState | undefined;

export function entryOf(sight: Sight): Entry | undefined {
  return sight?.kind === 'settled' ? sight.entry : undefined;
}
