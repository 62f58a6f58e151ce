import { BLOCK, KINDS, readHeader, readPax } from './tarHeader.ts';

/** Most bytes of a pax header, and of what follows the end of an archive. */
const SLACK = 256 * 1024;

/** The archive does not match the request: the peer broke the protocol. */
export class ArchiveError extends Error {}

/** Work that goes on, or none when all is done. */
export type Busy = Promise<void> | undefined;

export type TarEntry = {
  readonly name: string;
  /** As in the header: '0' for a file. */
  readonly kind: string;
  readonly size: number;
  readonly pax: Readonly<Record<string, string>>;
};

/** Receives the entries of an archive, one after the other. What it throws ends the reading. */
export interface TarReceiver {
  begin(entry: TarEntry): void;
  /** Takes the next bytes of the content, which may be overwritten once it is done. */
  content(bytes: Uint8Array): Busy;
  /** The content is complete. */
  end(): Busy;
}

const NO_PAX = {};
/** The key of a name, which the header itself does not have then. */
const PAX_NAME = 'path';

/**
 * Reads a tar archive of files with pax headers, in pieces as they come. Nothing is copied but headers that are in several
 * pieces, and nothing waits unless the receiver does: streams and iterators cost more than a small file's content.
 */
export class TarReader {
  readonly #receiver: TarReceiver;
  /** A header, or a pax header's content, that is still being collected. */
  #collected: Uint8Array[] = [];
  /** Bytes of it that are still to come. */
  #missing = BLOCK;
  #isPax = false;
  #pax: Readonly<Record<string, string>> | undefined;
  /** Bytes of content and of padding before the next header. */
  #content = 0;
  #padding = 0;
  /** Bytes after the end of the archive. */
  #after: number | undefined;
  /** Where the rest of the current piece starts. */
  #at = 0;

  constructor(receiver: TarReceiver) {
    this.#receiver = receiver;
  }

  /**
   * Takes the next bytes, which may be overwritten once it is done; until then nothing else may be called.
   * @throws ArchiveError, and what the receiver throws
   */
  take(bytes: Buffer, from = 0): Busy {
    this.#at = from;
    while (this.#at < bytes.length) {
      const busy = this.#next(bytes);
      if (busy === undefined) continue;
      const at = this.#at;
      return busy.then(() => this.take(bytes, at));
    }
    return undefined;
  }

  /** Nothing more will come. @throws ArchiveError when something is missing */
  end(): void {
    const isBetween = this.#content + this.#padding === 0 && this.#missing === BLOCK && !this.#isPax;
    if (!isBetween || this.#pax !== undefined) throw new ArchiveError('the archive ends in the middle');
  }

  #next(bytes: Buffer): Busy {
    const left = bytes.length - this.#at;
    if (this.#content > 0) return this.#takeContent(bytes.subarray(this.#at, this.#at + this.#content));
    if (this.#padding > 0 && !this.#isPax) {
      const length = Math.min(left, this.#padding);
      this.#at += length;
      this.#padding -= length;
      return undefined;
    }
    if (this.#after !== undefined) {
      this.#at += left;
      this.#after += left;
      if (this.#after > SLACK) throw tooMuch();
      return undefined;
    }
    return this.#collect(bytes.subarray(this.#at, this.#at + this.#missing));
  }

  #takeContent(piece: Uint8Array): Busy {
    this.#at += piece.length;
    this.#content -= piece.length;
    const busy = this.#receiver.content(piece);
    if (this.#content > 0) return busy;
    return busy === undefined ? this.#receiver.end() : busy.then(() => this.#receiver.end());
  }

  #collect(piece: Buffer): Busy {
    this.#at += piece.length;
    this.#missing -= piece.length;
    if (this.#missing > 0) {
      // The piece may be overwritten before the rest has come.
      this.#collected.push(Buffer.from(piece));
      return undefined;
    }
    const whole = this.#collected.length === 0 ? piece : Buffer.concat([...this.#collected, piece]);
    this.#collected = [];
    this.#missing = BLOCK;
    if (!this.#isPax) return this.#header(whole);
    this.#isPax = false;
    this.#pax = readPax(whole);
    if (this.#pax === undefined) throw new ArchiveError('the archive has an invalid pax header');
    return undefined;
  }

  #header(block: Buffer): Busy {
    const header = readHeader(block);
    if (header === undefined) throw new ArchiveError('the archive has an invalid header');
    const pax = this.#pax;
    if (header === 'end') {
      if (pax !== undefined) throw new ArchiveError('the archive ends in the middle');
      this.#after = 0;
      return undefined;
    }
    const { name, kind, size } = header;
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK;
    if (kind === KINDS.pax) {
      if (size > SLACK) throw tooMuch();
      if (pax !== undefined || size === 0) throw new ArchiveError('the archive has an invalid pax header');
      this.#missing = size;
      this.#isPax = true;
      return undefined;
    }
    this.#pax = undefined;
    this.#content = size;
    this.#receiver.begin({ name: pax?.[PAX_NAME] ?? name, kind, size, pax: pax ?? NO_PAX });
    return size === 0 ? this.#receiver.end() : undefined;
  }
}

function tooMuch(): ArchiveError {
  return new ArchiveError('the archive carries more than was asked for');
}
