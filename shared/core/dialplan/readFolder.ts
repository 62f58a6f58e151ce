import { readFile, readdir, stat } from 'node:fs/promises';
import { errnoOf } from '#host/fs/errno.ts';
import { decodeName } from '../path/nameBytes.ts';
import { isDialplan } from './lint.ts';

/**
 * Reads what Asterisk would read of a dialplan folder: its regular files that are not hidden, links followed.
 * Throws what the file system throws, but for a file that goes away meanwhile.
 */
export async function readDialplanFolder(folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const name of await readdir(folder, { encoding: 'buffer' })) {
    const path = decodeName(name);
    if (!isDialplan(path)) continue;
    const where = Buffer.concat([Buffer.from(`${folder}/`), name]);
    try {
      if ((await stat(where)).isFile()) files.set(path, await readFile(where));
    } catch (error) {
      // A link that leads nowhere, also by way of itself, is nothing to Asterisk either.
      if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error))) throw error;
    }
  }
  return files;
}
