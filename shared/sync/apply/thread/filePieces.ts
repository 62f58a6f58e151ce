import { createHash, type Hash } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { errnoOf } from '#host/fs/errno.ts';
import type { PieceAnswer } from './messages.ts';

/** Bytes that are read at a time. */
const READ_BYTES = 256 * 1024;

/** The larger files that are being written or hashed, each with the hash of what was seen of it so far. */
export class FilePieces {
  readonly #hashes = new Map<number, Hash>();
  #buffer: Buffer | undefined;

  /** Writes at the end of an open file. @returns why it could not be written */
  write(fd: number, piece: Uint8Array): PieceAnswer {
    this.#hashOf(fd).update(piece);
    try {
      for (let at = 0; at < piece.length;) at += writeSync(fd, piece, at);
      return undefined;
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** Reads a part of an open file. @returns why it could not be read; nothing when the file ends before */
  read(fd: number, at: number, length: number): PieceAnswer {
    const hash = this.#hashOf(fd);
    const buffer = (this.#buffer ??= Buffer.allocUnsafeSlow(READ_BYTES));
    try {
      for (let done = 0; done < length;) {
        const count = readSync(fd, buffer, 0, Math.min(READ_BYTES, length - done), at + done);
        if (count === 0) break;
        hash.update(buffer.subarray(0, count));
        done += count;
      }
      return undefined;
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** @returns the SHA-256 of all that was to be written or read, in hexadecimal; afterwards the number may be another file's */
  end(fd: number): string {
    const hash = this.#hashes.get(fd) ?? createHash('sha256');
    this.#hashes.delete(fd);
    return hash.digest('hex');
  }

  #hashOf(fd: number): Hash {
    let hash = this.#hashes.get(fd);
    if (hash === undefined) this.#hashes.set(fd, (hash = createHash('sha256')));
    return hash;
  }
}
