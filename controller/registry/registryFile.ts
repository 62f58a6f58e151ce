import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { writeFileDurably } from '#host/fs/durableFile.ts';
import { EMPTY_REGISTRY, RegistryState } from './records.ts';

const FILE = 'registry.json';

/** The registry's file can't be used as it is. The message names the file and the remedy. */
export class RegistryFileError extends Error {
  override name = 'RegistryFileError';
}

/**
 * The one file that holds the registry, so that using a token up and admitting its bearer are one step on disk.
 *
 * The daemon is its only writer; the CLI asks the daemon. Should something else have written it nevertheless, such as
 * a restore, saving refuses instead of undoing that.
 */
export class RegistryFile {
  readonly #path: string;
  /** What the file held when this last read or wrote it; undefined: there was none. */
  #text: string | undefined;

  /** @param folder made when first saving, if it is missing */
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
    const checked = RegistryState.safeParse(this.#parsed(this.#text));
    if (!checked.success) throw this.#damaged(z.prettifyError(checked.error));
    return checked.data;
  }

  /**
   * Once this returns, the state survives a power cut.
   * @throws RegistryFileError if the file is not as this left it; the error of the file system if it can't be written
   */
  save(state: RegistryState): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    // RACE: another program writes the file between this comparison and the rename. Worst case: its change is overwritten.
    if (this.#read() !== this.#text) {
      throw new RegistryFileError(
        `${this.#path} was changed by something other than the running daemon, so nothing was saved: ` +
          'restart the daemon, which then goes by what the file says now, and do this again',
      );
    }
    // What couldn't be loaded again must not replace what can.
    const text = `${JSON.stringify(RegistryState.parse(state), null, 2)}\n`;
    writeFileDurably(this.#path, text, { mode: 0o600 });
    this.#text = text;
  }

  #read(): string | undefined {
    try {
      return readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
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
        'Bring it back with `xivo-xds-sync restore FILE`. Without a backup, move it away: ' +
        'Main then starts with an empty list, and every MDS has to be enrolled again.',
      { cause },
    );
  }
}
