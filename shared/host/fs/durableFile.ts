import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from './errno.ts';
import { withRemedy } from './remedy.ts';

/**
 * Replaces or creates a small file so that after a power cut it holds either all of the old or all of the new
 * content, and, once this returns, the new one.
 *
 * `mode` is set exactly, whatever the umask. A reader never sees partial content. On an error the old file stays.
 * @throws an error with the `code` of the file system call that failed, and the remedy
 */
export function writeFileDurably(path: string, data: string | Uint8Array, options: { mode: number }): void {
  const folder = dirname(path);
  // Beside the target, since rename is atomic only within one file system; a dot name, since listings leave those out.
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    writeAndSync(temporary, data, options.mode);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw Object.assign(
      new Error(`${path} can't be written: ${withRemedy(errnoOf(error))}`, { cause: error }),
      {
        code: errnoOf(error),
      },
    );
  }
  makeNamesDurable(folder);
}

/** Makes the names in a folder durable: files created, renamed or removed there stay so after a power cut. @throws Node's fs errors */
export function makeNamesDurable(folder: string): void {
  const handle = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function writeAndSync(path: string, data: string | Uint8Array, mode: number): void {
  // Exclusive, so a planted link of this name is never followed, and the mode is never wider than wanted.
  const handle = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(handle, data);
    fchmodSync(handle, mode);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
