import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readContent } from '#host/dialplan/files.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { configFolder } from './asteriskLog.ts';
import { differences, type FilesOnDisk, missingClass } from './judgeMusic.ts';
import { ANSWER_TIMEOUT_MS, SHOW_LIMIT } from '../reload/limits.ts';
import { readMohClasses, readMohShow } from './mohShow.ts';
import { musicClasses } from './musicClasses.ts';
import type { Refusal } from '../reload/result.ts';
import type { Prove } from '../reload/proof.ts';
import { runCommand } from '../reload/runProcess.ts';

/** Paths and Asterisk's words are compared byte for byte. */
const ENCODING = 'latin1';

/**
 * Proves that a music reload made Asterisk know the files that are there now, since `moh reload` itself prints nothing:
 * by what `moh show files` tells. Music is never taken back: what differs causes another reload, and is told. That a whole
 * class is not there keeps the reload pending.
 */
export function musicProof(asterisk: readonly string[]): Prove {
  /** What differed before and did not change by reloading again. */
  let before: ReadonlySet<string> = new Set();
  let configuration: string | undefined;
  return (kind, signal) =>
    Promise.resolve(async () => {
      if (kind !== 'moh') return {};
      const limits = {
        timeoutMs: ANSWER_TIMEOUT_MS,
        signal,
        keepBytes: SHOW_LIMIT,
        encoding: ENCODING,
      } as const;
      const ask = async (line: string): Promise<string> =>
        (await runCommand([...asterisk, '-rx', line], limits)).output;
      const known = readMohShow(await ask('moh show files'));
      configuration ??= configFolder(await ask('core show settings'));
      const refusal = await unknownClass(configuration, () => ask('moh show classes'));
      if (refusal !== undefined) return { refusal };
      const found = differences(known, await filesIn(known.keys()));
      const again = found.some((each) => !before.has(each));
      before = new Set(found);
      if (found.length === 0) return {};
      const told = Buffer.from(found.join('; '), ENCODING).toString();
      return { again, note: `Asterisk's music differs from what is there: ${told}` };
    });
}

/** Finds a class that is configured, has music and is not there. @param classes what Asterisk says of those it knows */
async function unknownClass(
  configuration: string | undefined,
  classes: () => Promise<string>,
): Promise<Refusal | undefined> {
  if (configuration === undefined) return undefined;
  const file = join(configuration, 'musiconhold.conf');
  const content = readContent(file);
  if (!Buffer.isBuffer(content)) return undefined;
  const configured = musicClasses(content);
  const known = readMohClasses(await classes());
  return missingClass(configured, known, await filesIn(configured.map(({ directory }) => directory)), file);
}

async function filesIn(folders: Iterable<string>): Promise<FilesOnDisk> {
  const files = new Map<string, string[]>();
  for (const folder of folders) {
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
