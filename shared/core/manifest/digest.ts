import { createHash } from 'node:crypto';
import type { Entry } from './entry.ts';
import { encodeName } from '../path/nameBytes.ts';

const BYTES = 32;

/**
 * An order-free digest of a set of paths with their content: the XOR of one SHA-256 per path, so that a
 * change costs one hash, not a pass over everything (the set hash XHASH of Bellare and Micciancio, 1997).
 * It detects differences, not attacks: each content is verified by its own SHA-256 anyway.
 */
export class ContentDigest {
  readonly #sum = Buffer.alloc(BYTES);

  /** Toggles a path: adds it, or removes it when it is included already. */
  toggle(path: string, entry: Entry): void {
    this.toggleText(path, contentKey(entry));
  }

  /** The same for any other text about a path. */
  toggleText(path: string, said: string | Uint8Array): void {
    const one = createHash('sha256').update(encodeName(path)).update('\0').update(said).digest();
    for (let i = 0; i < BYTES; i++) this.#sum[i] = (this.#sum[i] ?? 0) ^ (one[i] ?? 0);
  }

  get hex(): string {
    return this.#sum.toString('hex');
  }
}

function contentKey(entry: Entry): Buffer | string {
  if (entry.type === 'file') return `file ${entry.hash}`;
  if (entry.type === 'link') return Buffer.concat([Buffer.from('link '), encodeName(entry.target)]);
  return 'folder';
}
