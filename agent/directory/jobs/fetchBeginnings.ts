import type { DialplanContent } from '#core/dialplan/world.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import { READ_IN_PART } from '#host/dialplan/files.ts';
import { type Sink, unpackFiles } from '#sync/transfer/unpack.ts';
import type { AgentSession } from '../../connection/agentSession.ts';

type Wanted = { readonly path: string; readonly entry: FileEntry };

/**
 * Fetches from Main what lint reads of large files, which is their beginning: a core file that lint will refuse need not
 * be received for that. The rest is fetched, and the whole verified, once lint has accepted the set.
 *
 * @param onStale called with a file that Main can't send any more, and its reason
 * @throws when the connection is lost, or the archive is invalid
 */
export async function fetchBeginnings(
  directory: string,
  session: Pick<AgentSession, 'get'>,
  files: readonly Wanted[],
  onStale: (path: string, why: string) => void,
): Promise<Map<string, DialplanContent>> {
  const found = new Map<string, DialplanContent>();
  for (const { path, entry } of files) {
    const { hash, size } = entry;
    const beginning = new Beginning(Math.min(size, READ_IN_PART), (why) => onStale(path, why));
    try {
      await unpackFiles(session.get(directory, [{ path, hash, size }], true), [size], () => beginning);
    } catch (error) {
      if (!beginning.isComplete) throw error;
      found.set(path, { size, head: beginning.bytes });
    }
  }
  return found;
}

/** Takes the first bytes of a file, and ends its transfer then. */
class Beginning implements Sink {
  readonly bytes: Buffer;
  readonly #refused: (why: string) => void;
  #filled = 0;

  constructor(size: number, refused: (why: string) => void) {
    this.bytes = Buffer.alloc(size);
    this.#refused = refused;
  }

  get isComplete(): boolean {
    return this.#filled === this.bytes.length;
  }

  /** @throws once nothing more is needed, which cancels the stream */
  write(chunk: Uint8Array): void {
    const piece = chunk.subarray(0, this.bytes.length - this.#filled);
    this.bytes.set(piece, this.#filled);
    this.#filled += piece.length;
    if (this.isComplete) throw new Error('the beginning is enough for lint');
  }

  end(): void {
    // Not reached: a file has more bytes than its beginning.
  }

  refuse(why: string): void {
    this.#refused(why);
  }
}
