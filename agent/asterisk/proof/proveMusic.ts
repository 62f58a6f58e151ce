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
import { runProcess } from '../reload/runProcess.ts';

/** Paths and Asterisk's words are compared byte for byte. */
const ENCODING = 'latin1';

/**
 * Proves that a music reload made Asterisk know the current files, since `moh reload` itself prints nothing: by the output
 * of `moh show files`. Music is never reverted: a difference causes another reload and is reported. A missing class keeps
 * the reload pending.
 */
export function musicProof(asterisk: readonly string[]): Prove {
  /** Differences that another reload did not change. */
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
        (await runProcess([...asterisk, '-rx', line], limits)).output;
      const known = readMohShow(await ask('moh show files'));
      configuration ??= configFolder(await ask('core show settings'));
      const refusal = await unknownClass(configuration, () => ask('moh show classes'));
      if (refusal !== undefined) return { refusal };
      const found = differences(known, await filesIn(known.keys()));
      const again = found.some((each) => !before.has(each));
      before = new Set(found);
      if (found.length === 0) return {};
      const text = Buffer.from(found.join('; '), ENCODING).toString();
      return { again, note: `Asterisk's music differs from the files: ${text}` };
    });
}

/** Finds a configured class with music that Asterisk does not know. @param classes output about the classes it knows */
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

/** The regular files in a folder; undefined when it is missing, or Asterisk has another root folder. */
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
    // Removed meanwhile, or a dangling link.
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
