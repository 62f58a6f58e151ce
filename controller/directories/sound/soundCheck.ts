import { closeSync, fstatSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { HEAD_BYTES, isChecked, whyUnplayable } from './playable.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import type { Replica } from '#sync/scan/replica.ts';

const readAsync = promisify(read);

/** Files are checked in batches with pauses, so that a first pass over many files is not slowed down. */
const BATCH = 32;
const REST = 50;

/** Checks the beginning of each changed sound file of a directory, and records which ones Asterisk can't play. */
export class SoundCheck {
  /** The reason by path. */
  readonly warnings = new Map<string, string>();
  readonly #replica: Replica;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #waiting = new Set<string>();
  #working: Promise<void> | undefined;
  readonly #end = new AbortController();

  constructor(replica: Replica, clock: Clock, onError: (error: unknown) => void) {
    this.#replica = replica;
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Called with paths that were added, changed or removed. */
  look(paths: Iterable<string>): void {
    for (const path of paths) if (isChecked(path)) this.#waiting.add(path);
    if (this.#waiting.size > 0 && !this.#end.signal.aborted) this.#working ??= this.#work();
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    try {
      const { signal } = this.#end;
      while (this.#waiting.size > 0) {
        await pause(this.#clock, REST, signal);
        if (signal.aborted) return;
        await this.#lookAt(this.#waiting.values().take(BATCH).toArray());
      }
    } catch (error) {
      // The directory is missing: the check continues with the next change in it.
      this.#onError(error);
    } finally {
      this.#working = undefined;
    }
  }

  async #lookAt(paths: readonly string[]): Promise<void> {
    using open = new OpenFolders(this.#replica.path);
    for (const path of paths) {
      this.#waiting.delete(path);
      const state = this.#replica.get(path);
      // A file that settles later is checked then.
      if (state?.kind === 'moving') continue;
      this.warnings.delete(path);
      if (state?.kind !== 'settled' || state.entry.type !== 'file') continue;
      const why = await verdict(open, path, this.#replica.stampAt(path));
      if (why !== undefined) this.warnings.set(path, why);
    }
  }
}

/** @returns undefined also when the file has been replaced; it is then checked again */
async function verdict(
  open: OpenFolders,
  path: string,
  stamp: string | undefined,
): Promise<string | undefined> {
  let fd: number | undefined;
  try {
    fd = open.get(parentOf(path)).openFile(baseOf(path));
    const stat = fstatSync(fd, { bigint: true });
    if (stampOf(stat) !== stamp) return undefined;
    const buffer = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await readAsync(fd, buffer, 0, HEAD_BYTES, 0);
    return whyUnplayable(path, buffer.subarray(0, bytesRead), Number(stat.size));
  } catch {
    // A missing or unreadable file is reported when it is hashed.
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
