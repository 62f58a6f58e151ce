import { createHash } from 'node:crypto';
import type { Place } from './operation.ts';

export function hashOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

export function keyOf({ host, directory, path }: Place): string {
  return `${host}:${directory}/${path}`;
}

export type Origin = { readonly place: string; readonly operation: number; readonly at: number };

/**
 * Knows every content that was ever written, and where each was seen that no user has destroyed since. A content
 * that has such a copy must still exist: live or in a trash.
 */
export class Books {
  readonly #origins = new Map<string, Origin>();
  /** Every place where a user put a content, whatever became of it. */
  readonly #writtenAt = new Set<string>();
  readonly #copies = new Map<string, Set<string>>();
  readonly #byPlace = new Map<string, Set<string>>();
  /** States of a file that is being written: they may be seen where it is written, and nowhere else. */
  readonly #partial = new Map<string, Set<string>>();

  get size(): number {
    return this.#origins.size;
  }

  /** A whole content came to be by a user's hand. */
  written(place: Place, hash: string, operation: number): void {
    if (!this.#origins.has(hash)) this.#origins.set(hash, { place: keyOf(place), operation, at: Date.now() });
    this.#writtenAt.add(`${hash} ${keyOf(place)}`);
    this.sighted(keyOf(place), hash);
  }

  wasWrittenAt(key: string, hash: string): boolean {
    return this.#writtenAt.has(`${hash} ${key}`);
  }

  partly(place: Place, hash: string): void {
    add(this.#partial, hash, keyOf(place));
  }

  /** A whole content is at a place; parts of one need not be kept. */
  sighted(key: string, hash: string): void {
    if (!this.#origins.has(hash)) return;
    add(this.#copies, hash, key);
    add(this.#byPlace, key, hash);
  }

  /** A user ended this copy. */
  destroyed(place: Place, hash: string): void {
    const key = keyOf(place);
    this.#copies.get(hash)?.delete(key);
    this.#byPlace.get(key)?.delete(hash);
  }

  /** A user ended what was there, whatever it was. */
  destroyedAny(place: Place): void {
    for (const hash of this.#byPlace.get(keyOf(place)) ?? []) this.destroyed(place, hash);
  }

  /** A user ended a whole folder. */
  destroyedBelow(place: Place): void {
    const prefix = `${keyOf(place)}/`;
    for (const [key, hashes] of this.#byPlace) {
      if (!key.startsWith(prefix)) continue;
      for (const hash of hashes) this.#copies.get(hash)?.delete(key);
      this.#byPlace.delete(key);
    }
  }

  /** Why a content must not be seen at a place, if so. */
  whyTorn(key: string, hash: string): string | undefined {
    if (this.#origins.has(hash)) return undefined;
    const partial = this.#partial.get(hash);
    if (partial === undefined) return 'this content was never written';
    return partial.has(key)
      ? undefined
      : `this is a part of what is being written at ${[...partial].join(' ')}`;
  }

  /** Contents that must exist and are not among those found. */
  lost(found: ReadonlyMap<string, ReadonlySet<string>>): string[] {
    const lost: string[] = [];
    for (const [hash, copies] of this.#copies) {
      if (copies.size === 0 || found.has(hash)) continue;
      const origin = this.#origins.get(hash);
      lost.push(
        `${hash.slice(0, 16)}, written by operation ${origin?.operation} at ${origin?.place}, last known at ${[...copies].join(' ')}`,
      );
    }
    return lost;
  }

  /** From now on exactly these copies are known. */
  restart(found: ReadonlyMap<string, ReadonlySet<string>>): void {
    this.#copies.clear();
    this.#byPlace.clear();
    for (const [hash, keys] of found) for (const key of keys) this.sighted(key, hash);
  }
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
}
