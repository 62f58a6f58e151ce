import { readdir, stat } from 'node:fs/promises';
import { errnoOf } from '#host/fs/errno.ts';
import { differences, type FilesOnDisk } from './judgeMusic.ts';
import { ANSWER_TIMEOUT_MS, SHOW_LIMIT } from '../reload/limits.ts';
import { type Music, readMohShow } from './mohShow.ts';
import type { Prove } from '../reload/proof.ts';
import { runCommand } from '../reload/runProcess.ts';

/** Paths and Asterisk's words are compared byte for byte. */
const ENCODING = 'latin1';

/**
 * Proves that a music reload made Asterisk know the files that are there now, since `moh reload` itself prints nothing:
 * by what `moh show files` tells. Music is never taken back: what differs causes another reload, and is told.
 */
export function musicProof(asterisk: readonly string[]): Prove {
  /** What differed before and did not change by reloading again. */
  let before: ReadonlySet<string> = new Set();
  return (kind, signal) =>
    Promise.resolve(async () => {
      if (kind !== 'moh') return {};
      const limits = {
        timeoutMs: ANSWER_TIMEOUT_MS,
        signal,
        keepBytes: SHOW_LIMIT,
        encoding: ENCODING,
      } as const;
      const { output } = await runCommand([...asterisk, '-rx', 'moh show files'], limits);
      const known = readMohShow(output);
      const found = differences(known, await filesIn(known));
      const again = found.some((each) => !before.has(each));
      before = new Set(found);
      if (found.length === 0) return {};
      const told = Buffer.from(found.join('; '), ENCODING).toString();
      return { again, note: `Asterisk's music differs from what is there: ${told}` };
    });
}

async function filesIn(known: Music): Promise<FilesOnDisk> {
  const files = new Map<string, string[]>();
  for (const folder of known.keys()) {
    const names = await namesIn(folder);
    if (names !== undefined) files.set(folder, names);
  }
  return files;
}

/** The regular files in a folder; undefined when it is not there (any more), or Asterisk sees another root than we. */
async function namesIn(folder: string): Promise<string[] | undefined> {
  const at = (path: string): Buffer => Buffer.from(path, ENCODING);
  try {
    const names: string[] = [];
    for (const name of await readdir(at(folder), ENCODING)) {
      if (await isFile(at(`${folder}/${name}`))) names.push(name);
    }
    return names;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function isFile(path: Buffer): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    // It went away meanwhile, or is a link to nothing.
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
