import type { Refusal } from '../reload/result.ts';
import type { Music } from './mohShow.ts';
import type { MusicClass } from './musicClasses.ts';

/** Asterisk ignores shorter names. */
const SHORTEST_NAME = 4;

/** Names of files by the folder that they lie in. */
export type FilesOnDisk = ReadonlyMap<string, readonly string[]>;

/**
 * Describes differences between disk and Asterisk: files that it does not know, and tracks whose file is missing. A
 * folder of which it knows no file may belong to no class, so it is left out.
 */
export function differences(known: Music, disk: FilesOnDisk): string[] {
  return [...disk].flatMap(([folder, files]) => {
    const tracks = known.get(folder);
    if (tracks === undefined) return [];
    const there = new Set(files.filter(isMusic).map(withoutSuffix));
    return [
      ...[...there].filter((track) => !tracks.has(track)).map((track) => `${folder}/${track} is not known`),
      ...[...tracks].filter((track) => !there.has(track)).map((track) => `${folder}/${track} is gone`),
    ];
  });
}

/**
 * Finds a class that Asterisk does not know although its folder has music: the folder was empty when Asterisk started,
 * and `moh reload` skips the classes of a musiconhold.conf that has not changed since. A class that may be defined
 * elsewhere is left out.
 *
 * @param known the names of the classes that it knows, in lower case
 * @param configuration where musiconhold.conf lies
 */
export function missingClass(
  classes: readonly MusicClass[],
  known: ReadonlySet<string>,
  disk: FilesOnDisk,
  configuration: string,
): Refusal | undefined {
  const missing = classes.find(
    ({ name, directory }) => !known.has(name.toLowerCase()) && disk.get(directory)?.some(isMusic) === true,
  );
  if (missing === undefined) return undefined;
  const { name, directory } = missing;
  return {
    message:
      `Asterisk does not know the class [${name}], since it found no music in ${directory} when it started, and a reload ` +
      `does not look there again: none of it is active. On this MDS run: touch ${configuration} && asterisk -rx 'moh reload'`,
  };
}

/** Whether res_musiconhold takes a file for music: it is not hidden and has a suffix. */
function isMusic(name: string): boolean {
  return name.length >= SHORTEST_NAME && !name.startsWith('.') && name.includes('.');
}

function withoutSuffix(name: string): string {
  return name.slice(0, name.lastIndexOf('.'));
}
