import type { Shown } from '#protocol/messages/common.ts';
import { ContentDigest } from './digest.ts';
import type { Entry } from './entry.ts';
import type { PathState } from './pathState.ts';

/**
 * What Main shows of a path: a file that is being written is shown as it was before, when it was something before.
 * A removed path of a two-way directory is shown with its tombstone; without one there is nothing to show.
 *
 * @param clockOf which clock gave an entry its time, when that was another than Main's
 */
export function show(
  state: PathState | undefined,
  tombstone: Entry | undefined,
  clockOf: (entry: Entry) => string | undefined,
): Shown {
  if (state === undefined) return tombstone ? { kind: 'gone', tombstone } : { kind: 'gone' };
  if (state.kind !== 'moving' && state.kind !== 'settled') return state;
  const entry = state.kind === 'moving' ? state.last : state.entry;
  if (entry === undefined) return { kind: 'moving' };
  const clock = clockOf(entry);
  return { kind: 'settled', entry, ...(clock !== undefined && { clock }) };
}

/** Everything that a manifest says, by path, with a digest that tells two manifests apart. */
export class Manifest {
  readonly #paths = new Map<string, Shown>();
  readonly #digest = new ContentDigest();

  get digest(): string {
    return this.#digest.hex;
  }

  get size(): number {
    return this.#paths.size;
  }

  get(path: string): Shown | undefined {
    return this.#paths.get(path);
  }

  entries(): IterableIterator<[string, Shown]> {
    return this.#paths.entries();
  }

  keys(): IterableIterator<string> {
    return this.#paths.keys();
  }

  /** @returns false when that is what it said already */
  set(path: string, shown: Shown): boolean {
    const before = this.#paths.get(path);
    const now = isNothing(shown) ? undefined : shown;
    const keyBefore = before && textOf(before);
    const keyNow = now && textOf(now);
    if (keyBefore === keyNow && clockOf(before) === clockOf(now)) return false;
    if (keyBefore !== undefined) this.#digest.toggleText(path, keyBefore);
    if (keyNow !== undefined) this.#digest.toggleText(path, keyNow);
    if (now === undefined) this.#paths.delete(path);
    else this.#paths.set(path, now);
    return true;
  }
}

/** It is not part of the digest: an older agent is not told it. */
function clockOf(shown: Shown | undefined): string | undefined {
  return shown?.kind === 'settled' ? shown.clock : undefined;
}

/** The same text on every host: key order is not part of what a manifest says. */
function textOf(shown: Shown): string {
  switch (shown.kind) {
    case 'settled':
      return entryText(shown.entry);
    case 'moving':
      return 'moving';
    case 'special':
      return `special ${shown.what}`;
    case 'unreadable':
      return `unreadable ${shown.errno}`;
    case 'gone':
      return shown.tombstone ? `gone ${entryText(shown.tombstone)}` : 'gone';
  }
}

function entryText(entry: Entry): string {
  const { type, owner, group, uid, gid } = entry;
  const ownership = [owner, uid, group, gid];
  if (type === 'file')
    return JSON.stringify([type, entry.hash, entry.size, entry.mtime, entry.mode, ...ownership]);
  return JSON.stringify([type, type === 'link' ? entry.target : entry.mode, ...ownership]);
}

function isNothing(shown: Shown): boolean {
  return shown.kind === 'gone' && shown.tombstone === undefined;
}
