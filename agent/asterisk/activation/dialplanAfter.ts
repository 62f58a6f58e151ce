import { readFile, readdir, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '#host/fs/errno.ts';
import { isDialplan } from '#core/dialplan/lint.ts';
import { decodeName, encodeName } from '#core/path/nameBytes.ts';

/** What a change set puts at a path: a file's content, a link; undefined where no file is left. */
export type Put = Buffer | { readonly linkTo: string } | undefined;

/** As many links one after the other as Linux follows. */
const MAX_LINKS = 40;

/**
 * The files that Asterisk would read of a dialplan folder once a change set is visible. A link leads to what is there then.
 * @param before what it reads now
 * @throws what the file system throws, but for a file that goes away meanwhile
 */
export async function dialplanAfter(
  folder: string,
  before: ReadonlyMap<string, Buffer>,
  changed: ReadonlyMap<string, Put>,
): Promise<Map<string, Buffer>> {
  const after = new Map(before);
  const links: string[] = [];
  for (const entry of await readdir(folder, { encoding: 'buffer', withFileTypes: true })) {
    const name = decodeName(entry.name);
    if (entry.isSymbolicLink() && isDialplan(name) && !changed.has(name)) links.push(name);
  }
  for (const [name, put] of changed) {
    if (!isDialplan(name)) continue;
    after.delete(name);
    if (Buffer.isBuffer(put)) after.set(name, put);
    else if (put !== undefined) links.push(name);
  }
  for (const link of links) {
    const content = await contentAt(folder, link, changed);
    if (content === undefined) after.delete(link);
    else after.set(link, content);
  }
  return after;
}

async function contentAt(
  folder: string,
  from: string,
  changed: ReadonlyMap<string, Put>,
): Promise<Buffer | undefined> {
  let at = from;
  for (let links = 0; links < MAX_LINKS; links++) {
    const put = changed.get(at);
    if (put === undefined && changed.has(at)) return undefined;
    if (Buffer.isBuffer(put)) return put;
    const target = put?.linkTo ?? (await linkAt(folder, at));
    if (target === undefined || path.isAbsolute(target)) return readOr(folder, at);
    at = path.posix.join(path.posix.dirname(at), target);
  }
  return undefined;
}

/** Where a link on disk leads; undefined when there is none. */
async function linkAt(folder: string, at: string): Promise<string | undefined> {
  try {
    return decodeName(await readlink(whereIs(folder, at), { encoding: 'buffer' }));
  } catch (error) {
    if (['EINVAL', 'ENOENT', 'ENOTDIR'].includes(errnoOf(error))) return undefined;
    throw error;
  }
}

async function readOr(folder: string, at: string): Promise<Buffer | undefined> {
  const where = whereIs(folder, at);
  try {
    return (await stat(where)).isFile() ? await readFile(where) : undefined;
  } catch (error) {
    // A link that leads nowhere: Asterisk reads nothing there.
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error))) return undefined;
    throw error;
  }
}

function whereIs(folder: string, at: string): Buffer {
  return encodeName(path.join(folder, at));
}
