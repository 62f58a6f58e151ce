import { createHash, type Hash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { errnoOf } from '#host/fs/errno.ts';
import type { WriteAnswer } from './messages.ts';

/** The larger files that are being written, each with the hash of what was written so far. */
export class FilePieces {
  readonly #hashes = new Map<number, Hash>();

  /** Writes at the end of an open file. @returns why it could not be written */
  write(fd: number, piece: Uint8Array): WriteAnswer {
    let hash = this.#hashes.get(fd);
    if (hash === undefined) this.#hashes.set(fd, (hash = createHash('sha256')));
    hash.update(piece);
    try {
      for (let at = 0; at < piece.length;) at += writeSync(fd, piece, at);
      return undefined;
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** @returns the SHA-256 of all that was to be written, in hexadecimal; afterwards the number may be another file's */
  end(fd: number): string {
    const hash = this.#hashes.get(fd) ?? createHash('sha256');
    this.#hashes.delete(fd);
    return hash.digest('hex');
  }
}
