import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { interpreted } from '#protocol/interpreted.ts';
import { writeFileDurably } from '#host/fs/durableFile.ts';
import { codeOf } from '#host/fs/errno.ts';
import { EMPTY_REGISTRY, RegistryState } from './records.ts';

const FILE = 'registry.json';

/** The registry's file can't be used as it is. The message names the file and the remedy. */
export class RegistryFileError extends Error {
  override name = 'RegistryFileError';
}

/**
 * The single file of the registry, so that using a token and admitting its bearer are one atomic write.
 *
 * The daemon is its only writer; the CLI goes through the daemon. If another program changed it, such as a restore,
 * saving is refused instead of overwriting that.
 */
export class RegistryFile {
  readonly #path: string;
  /** The file's content when it was last read or written; undefined when it did not exist. */
  #text: string | undefined;

  /** @param folder created by the first save, if it is missing */
  constructor(folder: string) {
    this.#path = join(folder, FILE);
  }

  /**
   * @returns an empty registry if there is no file
   * @throws RegistryFileError if it is damaged; the error of the file system if it can't be read
   */
  load(): RegistryState {
    this.#text = this.#read();
    if (this.#text === undefined) return EMPTY_REGISTRY;
    const checked = RegistryState.safeParse(this.#parsed(this.#text), interpreted(this.#text.length));
    if (!checked.success) throw this.#damaged(z.prettifyError(checked.error));
    return checked.data;
  }

  /**
   * Saves the registry durably.
   * @throws RegistryFileError if another program changed the file; the error of the file system if it can't be written
   */
  save(state: RegistryState): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    // RACE: another program writes the file between this comparison and the rename. Worst case: its change is overwritten.
    if (this.#read() !== this.#text) {
      throw new RegistryFileError(
        `${this.#path} was changed by something other than the running daemon, so nothing was saved: ` +
          'restart the daemon, which then uses the file as it is now, and try again',
      );
    }
    // Validated first, so that a valid file is never replaced by one that can't be loaded.
    const text = `${JSON.stringify(RegistryState.parse(state, interpreted()), null, 2)}\n`;
    writeFileDurably(this.#path, text, { mode: 0o600 });
    this.#text = text;
  }

  #read(): string | undefined {
    try {
      return readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  #parsed(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw this.#damaged(error instanceof Error ? error.message : String(error), error);
    }
  }

  #damaged(why: string, cause?: unknown): RegistryFileError {
    return new RegistryFileError(
      `${this.#path}, the list of who may connect, is damaged: ${why}\n` +
        'Restore it with `xivo-xds-sync restore FILE`. Without a backup, move it away: ' +
        'Main then starts with an empty list, and every MDS has to be enrolled again.',
      { cause },
    );
  }
}
