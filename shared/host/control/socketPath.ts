import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Linux takes 107 bytes and a NUL in sun_path; a longer path is cut off silently by some layers. */
const MAX_SOCKET_PATH_BYTES = 100;

/**
 * Calls `use` with a path of the socket that is short enough to listen on or connect to. A longer path goes
 * through an open handle of its folder, `/proc/self/fd/N/NAME`, which is only good until `use` settles: listening
 * or being connected outlives it, but connecting again needs another call. A server that listened this way can't
 * remove its socket when it closes: the caller unlinks `path`.
 *
 * @throws when the folder can't be opened (with its errno), or when the socket's own name is too long
 */
export async function withShortSocketPath<T>(path: string, use: (short: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return use(path);
  // Not by promises: Node would load its line reader and more for that, at each command.
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const short = `/proc/self/fd/${folder}/${basename(path)}`;
    if (Buffer.byteLength(short) > MAX_SOCKET_PATH_BYTES) {
      throw new RangeError(`${path}: the socket's name is longer than ${MAX_SOCKET_PATH_BYTES} bytes`);
    }
    return await use(short);
  } finally {
    closeSync(folder);
  }
}
