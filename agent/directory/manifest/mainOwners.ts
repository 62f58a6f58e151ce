import * as z from 'zod';
import type { Entry, Ownership } from '#core/manifest/entry.ts';
import { localise, type OwnerNames } from '#core/manifest/localise.ts';
import { entrySchema } from '#protocol/entry.ts';

/** Owners and groups of one directory that are remembered. More would be an accident. */
const MAX_OWNERSHIPS = 256;

const schema = z.array(entrySchema).max(MAX_OWNERSHIPS);

/**
 * The owners and groups of Main's entries as Main names them, with which an entry of the ledger, which has this host's
 * names and numbers, becomes Main's again.
 */
export class MainOwners {
  /** A folder with this ownership for each, by its text. */
  readonly #known = new Map<string, Entry>();

  get size(): number {
    return this.#known.size;
  }

  note({ owner, group, uid, gid }: Ownership): void {
    const key = keyOf({ owner, group, uid, gid });
    if (this.#known.size < MAX_OWNERSHIPS && !this.#known.has(key))
      this.#known.set(key, { type: 'folder', mode: 0, owner, group, uid, gid });
  }

  /** As text, to be stored. */
  get text(): string {
    return JSON.stringify([...this.#known.values()]);
  }

  /** Reads a stored text; what makes no sense is ignored. */
  read(stored: unknown): void {
    for (const each of schema.safeParse(stored).data ?? []) this.note(each);
  }

  /**
   * @param names the accounts of this host
   * @returns Main's entry for a local one; a guess where two owners of Main are one here
   */
  restorer(names: OwnerNames): (entry: Entry) => Entry {
    const byLocal = new Map<string, Ownership>();
    for (const mains of this.#known.values()) {
      const { owner, group, uid, gid } = mains;
      byLocal.set(keyOf(localise(mains, names)), { owner, group, uid, gid });
    }
    return (entry) => {
      const ownership = byLocal.get(keyOf(entry));
      return ownership === undefined || keyOf(ownership) === keyOf(entry)
        ? entry
        : { ...entry, ...ownership };
    };
  }
}

function keyOf({ owner, group, uid, gid }: Ownership): string {
  return `${uid}:${gid}:${owner}:${group}`;
}
