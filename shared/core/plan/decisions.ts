import { filePool } from '../manifest/kept/filePool.ts';
import { type Decision, deliverNew, isNew, uploadNew } from './decision.ts';

/** The kinds of which only the entry's number is kept: times as many as there are, and the kind's place added. */
const KINDS = ['deliver', 'upload', 'agree'] as const;

/** Decisions by path, to be read. */
export type ReadonlyDecisions = Pick<
  ReadonlyMap<string, Decision>,
  'get' | 'has' | 'size' | 'keys' | 'values'
> &
  Iterable<readonly [path: string, decision: Decision]>;

/**
 * Decisions by path, in the order in which they were set. Of a file that its destination never had, or that both sides hold,
 * only the entry's number in the {@link filePool} is kept: before a first pass there is such a decision for every file.
 */
export class Decisions implements ReadonlyDecisions {
  readonly #all = new Map<string, number | Decision>();
  /** The paths of those that are kept as they are. */
  readonly #others = new Set<string>();
  /** Bytes of the new files. */
  #newBytes = 0;

  constructor() {
    const all = this.#all;
    filePool.releaseWith(this, () => numbersIn(all));
  }

  get size(): number {
    return this.#all.size;
  }

  /** Bytes of the files that their destination never had. */
  get newBytes(): number {
    return this.#newBytes;
  }

  has(path: string): boolean {
    return this.#all.has(path);
  }

  get(path: string): Decision | undefined {
    const kept = this.#all.get(path);
    return typeof kept === 'number' ? decisionOf(kept) : kept;
  }

  set(path: string, decision: Decision): void {
    const kept = keep(decision);
    this.#release(path);
    this.#all.set(path, kept);
    if (typeof kept !== 'number') this.#others.add(path);
    else {
      this.#others.delete(path);
      this.#newBytes += bytesOfNew(kept);
    }
  }

  delete(path: string): void {
    this.#release(path);
    this.#others.delete(path);
    this.#all.delete(path);
  }

  clear(): void {
    for (const number of numbersIn(this.#all)) filePool.release(number);
    this.#all.clear();
    this.#others.clear();
    this.#newBytes = 0;
  }

  keys(): MapIterator<string> {
    return this.#all.keys();
  }

  *values(): MapIterator<Decision> {
    for (const [, decision] of this) yield decision;
  }

  *[Symbol.iterator](): MapIterator<[path: string, decision: Decision]> {
    for (const [path, kept] of this.#all) yield [path, typeof kept === 'number' ? decisionOf(kept) : kept];
  }

  /** All but those of which only a number is kept, for which nothing is made here. */
  *others(): MapIterator<[path: string, decision: Decision]> {
    for (const path of this.#others) {
      const decision = this.#all.get(path);
      if (typeof decision === 'object') yield [path, decision];
    }
  }

  /**
   * Calls `look` with what each is, without the rest of it: an iterator would make an object for each.
   * @param look its `newBytes` are those of a file that its destination never had, or 0 for one that both sides hold;
   *   undefined for every other decision
   */
  forEach(look: (path: string, kind: Decision['kind'], newBytes: number | undefined) => void): void {
    this.#all.forEach((kept, path) => {
      if (typeof kept === 'number') look(path, kindOf(kept), bytesOfNew(kept));
      else look(path, kept.kind, undefined);
    });
  }

  #release(path: string): void {
    const kept = this.#all.get(path);
    if (typeof kept !== 'number') return;
    this.#newBytes -= bytesOfNew(kept);
    filePool.release(numberIn(kept));
  }
}

function keep(decision: Decision): number | Decision {
  if ((decision.kind !== 'agree' && !isNew(decision)) || decision.entry.type !== 'file') return decision;
  const number = filePool.keep(decision.entry);
  return number === undefined ? decision : number * KINDS.length + KINDS.indexOf(decision.kind);
}

function decisionOf(kept: number): Decision {
  const entry = filePool.at(numberIn(kept));
  switch (kindOf(kept)) {
    case 'deliver':
      return deliverNew(entry);
    case 'upload':
      return uploadNew(entry);
    case 'agree':
      return { kind: 'agree', entry };
  }
}

function numberIn(kept: number): number {
  return Math.trunc(kept / KINDS.length);
}

function kindOf(kept: number): (typeof KINDS)[number] {
  return KINDS[kept % KINDS.length] ?? KINDS[0];
}

function bytesOfNew(kept: number): number {
  return kindOf(kept) === 'agree' ? 0 : filePool.sizeOf(numberIn(kept));
}

function* numbersIn(all: ReadonlyMap<string, unknown>): Iterable<number> {
  for (const kept of all.values()) if (typeof kept === 'number') yield numberIn(kept);
}
