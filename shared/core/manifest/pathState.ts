import { type Entry, type FileEntry, identical } from './entry.ts';

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

/** The same for a file alone. */
export function fileOf(state: PathState | undefined): FileEntry | undefined {
  const entry = entryOf(state);
  return entry?.type === 'file' ? entry : undefined;
}

/** Equal in every property. */
export function sameState(a: PathState, b: PathState): boolean {
  switch (a.kind) {
    case 'settled':
      return b.kind === 'settled' && identical(a.entry, b.entry);
    case 'moving':
      if (b.kind !== 'moving') return false;
      return a.last === undefined || b.last === undefined ? a.last === b.last : identical(a.last, b.last);
    case 'special':
      return b.kind === 'special' && a.what === b.what;
    case 'unreadable':
      return b.kind === 'unreadable' && a.errno === b.errno;
  }
}
