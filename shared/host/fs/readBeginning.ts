import { closeSync, fstatSync, readSync } from 'node:fs';
import { baseOf, parentOf } from '#core/path/relative.ts';
import { OpenFolders } from './openFolders.ts';

/** The first bytes of a file, and its size in bytes. */
export type Beginning = { readonly content: Buffer; readonly size: number };

/**
 * Reads the beginning of a file below a folder, without following links.
 * @param most bytes
 * @throws Node's fs errors; an Error when it is not a regular file
 */
export function readBeginning(root: string, path: string, most: number): Beginning {
  using open = new OpenFolders(root);
  const fd = open.get(parentOf(path)).openFile(baseOf(path));
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error(`${path} is not a file`);
    const content = Buffer.alloc(Math.min(stat.size, most));
    let length = 0;
    while (length < content.length) {
      const read = readSync(fd, content, length, content.length - length, null);
      if (read === 0) break;
      length += read;
    }
    return { content: content.subarray(0, length), size: stat.size };
  } finally {
    closeSync(fd);
  }
}
