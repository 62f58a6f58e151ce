import { readdirSync } from 'node:fs';
import path from 'node:path';
import { RESERVED_NAME } from '#core/path/names.ts';

/** Most candidates: a longer list is of no use. */
const MOST = 500;

/** A directory, and where it lies on this disk. */
export type NamedPlace = { readonly name: string; readonly path: string };

/**
 * What a person may go on to type of a path such as `moh/default/a.wav`.
 * @param directories their names, and where they lie on this disk
 * @throws Node's fs errors when the folder can't be read
 */
export function offerPaths(directories: readonly NamedPlace[], typed: string): string[] {
  const [name = '', ...rest] = typed.split('/');
  const directory = directories.find((each) => each.name === name);
  if (rest.length === 0 || directory === undefined) return directories.map((each) => `${each.name}/`);
  const folder = rest.slice(0, -1).join('/');
  if (rest.includes('..')) return [];
  return readdirSync(path.join(directory.path, folder), { withFileTypes: true })
    .filter((each) => each.name !== RESERVED_NAME && !/\p{C}/u.test(each.name))
    .slice(0, MOST)
    .map(
      (each) =>
        [name, folder, each.name].filter((part) => part !== '').join('/') + (each.isDirectory() ? '/' : ''),
    );
}
