import type { Entry, Ownership } from '../entry.ts';

/** More than any telephone system has. What a peer makes up beyond that is kept in another way. */
const MOST = 0x1_0000;

/** The owners and groups of entries, by number: very many files have the same ones. */
export class Ownerships {
  readonly #all: Ownership[] = [];
  readonly #numbers = new Map<string, number>();
  /** The last one that was asked for, which is usually the next, too. */
  #last = -1;

  /** The number of an entry's owner and group; undefined when there are too many already. */
  numberOf(entry: Entry): number | undefined {
    if (isOf(this.#all[this.#last], entry)) return this.#last;
    const { owner, group, uid, gid } = entry;
    const key = JSON.stringify([owner, group, uid, gid]);
    const number = this.#numbers.get(key) ?? this.#all.length;
    if (number === MOST) return undefined;
    if (number === this.#all.length) {
      this.#all.push({ owner, group, uid, gid });
      this.#numbers.set(key, number);
    }
    this.#last = number;
    return number;
  }

  /** @throws RangeError for a number that was not returned */
  at(number: number): Ownership {
    const found = this.#all[number];
    if (found === undefined) throw new RangeError(`no owner has the number ${number}`);
    return found;
  }
}

function isOf(known: Ownership | undefined, { owner, group, uid, gid }: Entry): boolean {
  return known?.owner === owner && known.group === group && known.uid === uid && known.gid === gid;
}
