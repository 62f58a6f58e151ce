import { SHORT_DIGEST_CHARACTERS } from '#protocol/limits.ts';
import type { ChunkList } from '../transfer/chunkList.ts';
import { bytesOf, type KeptLists } from '../transfer/chunkLists.ts';
import type { Database } from './database.ts';
import type { Statement } from './statement.ts';
import { StateError } from './stateError.ts';

/** Most bytes that are kept for one directory. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * The chunk lists of one directory's large files, kept between runs. They are only guesses: what can't be written is not kept,
 * and what can't be read is unknown.
 */
export class ChunkListTable implements KeptLists {
  readonly #db: Database;
  readonly #directory: string;
  readonly #most: number;
  readonly #find: Statement;
  readonly #insert: Statement;
  readonly #list: Statement;
  readonly #remove: Statement;
  /** Bytes of each list, by hash, oldest first; undefined before the first one is added. */
  #sizes: ReadonlyMap<string, number> | undefined;

  constructor(db: Database, directory: string, most = MOST_BYTES) {
    this.#db = db;
    this.#directory = directory;
    this.#most = most;
    this.#find = db.prepare(
      'SELECT usual, digests, lengths, checks FROM chunk_lists WHERE directory = ? AND hash = ?',
    );
    this.#insert = db.prepare(
      'INSERT OR REPLACE INTO chunk_lists (directory, hash, usual, digests, lengths, checks) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#list = db.prepare(
      `SELECT hash, octet_length(digests) + octet_length(lengths) + coalesce(octet_length(checks), 0) AS bytes
       FROM chunk_lists WHERE directory = ? ORDER BY rowid`,
    );
    this.#remove = db.prepare('DELETE FROM chunk_lists WHERE directory = ? AND hash = ?');
  }

  get(hash: string): ChunkList | undefined {
    const { usual, digests, lengths, checks } =
      unlessFailing(() => this.#find.get(this.#directory, hash)) ?? {};
    if (typeof digests !== 'string') return undefined;
    const chunks = digests.length / SHORT_DIGEST_CHARACTERS;
    const numbers = numbersIn(lengths, chunks);
    const sums = numbersIn(checks, chunks);
    return numbers && { usual: Number(usual), digests, lengths: numbers, ...(sums && { checks: sums }) };
  }

  add(hash: string, list: ChunkList): void {
    const { usual, digests, lengths, checks } = list;
    unlessFailing(() => {
      const sizes = new Map(this.#sizes ?? this.#readSizes());
      sizes.delete(hash);
      sizes.set(hash, bytesOf(list));
      const dropped = dropOldest(sizes, this.#most);
      this.#db.transaction(() => {
        const numbers = [bytesIn(lengths), checks === undefined ? null : bytesIn(checks)];
        this.#insert.run(this.#directory, hash, usual, digests, ...numbers);
        for (const oldest of dropped) this.#remove.run(this.#directory, oldest);
      });
      this.#sizes = sizes;
    });
  }

  #readSizes(): [hash: string, bytes: number][] {
    return this.#list.all(this.#directory).map(({ hash, bytes }) => [String(hash), Number(bytes)]);
  }
}

/** Takes the oldest out until the others have no more than `most` bytes. @returns the hashes of what was taken out */
function dropOldest(sizes: Map<string, number>, most: number): string[] {
  const dropped: string[] = [];
  let sum = sizes.values().reduce((all, bytes) => all + bytes, 0);
  for (const [hash, bytes] of sizes) {
    if (sum <= most) break;
    sizes.delete(hash);
    dropped.push(hash);
    sum -= bytes;
  }
  return dropped;
}

function unlessFailing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    return undefined;
  }
}

function bytesIn({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** @returns undefined when it is not as many numbers: a disk may change what it was given */
function numbersIn(bytes: unknown, count: number): Uint32Array | undefined {
  if (!(bytes instanceof Uint8Array) || bytes.length !== count * Uint32Array.BYTES_PER_ELEMENT)
    return undefined;
  // SQLite's bytes may start anywhere in memory.
  return new Uint32Array(bytes.slice().buffer);
}
