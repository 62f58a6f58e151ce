import type { ManifestEntry } from '#protocol/messages/common.ts';
import { BucketDigests, bucketsFor } from './buckets.ts';
import { ContentDigest, digestOfPath } from './digest.ts';
import type { Entry } from './entry.ts';
import { EntryMap } from './kept/entryMap.ts';
import type { PathState } from './pathState.ts';

/**
 * Main's manifest entry for a path. A file that is being written appears as it was before, if it existed before.
 * A removed path of a two-way directory appears with its tombstone; without a tombstone it has no entry.
 *
 * @param clockOf offset of the clock that gave an entry its mtime, where that was not Main's own
 */
export function manifestEntry(
  state: PathState | undefined,
  tombstone: Entry | undefined,
  clockOf: (entry: Entry) => string | undefined,
): ManifestEntry {
  if (state === undefined) return tombstone ? { kind: 'gone', tombstone } : { kind: 'gone' };
  if (state.kind !== 'moving' && state.kind !== 'settled') return state;
  const entry = state.kind === 'moving' ? state.last : state.entry;
  if (entry === undefined) return MOVING;
  const clock = clockOf(entry);
  if (clock !== undefined) return { kind: 'settled', entry, clock };
  // One object for a scan's finding and what is published of it: in a first scan there are as many as files.
  return state.kind === 'settled' ? state : { kind: 'settled', entry };
}

/** One object for all: in the first scan of a directory there are as many as files. */
const MOVING: ManifestEntry = { kind: 'moving' };

/** How an entry is kept: of a settled path only what it holds, since there are as many as files. */
type Kept = Entry | ManifestEntry;

function kept(shown: ManifestEntry): Kept {
  return shown.kind === 'settled' && shown.clock === undefined ? shown.entry : shown;
}

function shownOf(known: Kept): ManifestEntry {
  return 'kind' in known ? known : { kind: 'settled', entry: known };
}

/** A directory's manifest entries by path, with a digest that differs whenever two manifests differ. */
export class Manifest {
  readonly #paths = new EntryMap<ManifestEntry>();
  readonly #digest = new ContentDigest();
  /** The same by bucket, clocks included. */
  readonly #buckets = new BucketDigests();

  get digest(): string {
    return this.#digest.hex;
  }

  /** A digest that includes the clocks, too. */
  get exactDigest(): string {
    return this.#buckets.whole;
  }

  /** By this the other side finds out in which buckets its manifest differs. */
  get bucketDigests(): string {
    return this.#buckets.text(bucketsFor(this.size));
  }

  /** Compares with the other side's {@link bucketDigests}; undefined when they are none. */
  differing(theirs: string): ReturnType<BucketDigests['differing']> {
    return this.#buckets.differing(theirs);
  }

  get size(): number {
    return this.#paths.size;
  }

  get(path: string): ManifestEntry | undefined {
    const known = this.#paths.get(path);
    return known && shownOf(known);
  }

  *entries(): IterableIterator<[string, ManifestEntry]> {
    for (const [path, known] of this.#paths) yield [path, shownOf(known)];
  }

  keys(): IterableIterator<string> {
    return this.#paths.keys();
  }

  /** @returns false when the entry is unchanged */
  set(path: string, state: ManifestEntry): boolean {
    const before = this.get(path);
    const now = isNothing(state) ? undefined : state;
    const keyBefore = before && textOf(before);
    const keyNow = now && textOf(now);
    if (keyBefore === keyNow && clockOf(before) === clockOf(now)) return false;
    if (keyBefore !== undefined) this.#toggle(path, keyBefore, clockOf(before));
    if (keyNow !== undefined) this.#toggle(path, keyNow, clockOf(now));
    if (now === undefined) this.#paths.delete(path);
    else this.#paths.set(path, kept(now));
    return true;
  }

  #toggle(path: string, text: string, clock: string | undefined): void {
    const one = digestOfPath(path, text);
    this.#digest.toggleDigest(one);
    this.#buckets.toggle(path, clock === undefined ? one : digestOfPath(path, `${text} ${clock}`));
  }
}

/** Not part of the digest that is checked, since older agents don't receive it. */
function clockOf(state: ManifestEntry | undefined): string | undefined {
  return state?.kind === 'settled' ? state.clock : undefined;
}

/** Canonical JSON: the same text on every host, whatever the order of keys. */
function textOf(state: ManifestEntry): string {
  switch (state.kind) {
    case 'settled':
      return entryText(state.entry);
    case 'moving':
      return 'moving';
    case 'special':
      return `special ${state.what}`;
    case 'unreadable':
      return `unreadable ${state.errno}`;
    case 'gone':
      return state.tombstone ? `gone ${entryText(state.tombstone)}` : 'gone';
  }
}

function entryText(entry: Entry): string {
  const { type, owner, group, uid, gid } = entry;
  const ownership = [owner, uid, group, gid];
  if (type === 'file')
    return JSON.stringify([type, entry.hash, entry.size, entry.mtime, entry.mode, ...ownership]);
  return JSON.stringify([type, type === 'link' ? entry.target : entry.mode, ...ownership]);
}

function isNothing(state: ManifestEntry): boolean {
  return state.kind === 'gone' && state.tombstone === undefined;
}
