import type { Refusal } from '../reload/result.ts';
import type { Music } from './mohShow.ts';
import type { MusicClass } from './musicClasses.ts';

/** Asterisk does not even look at shorter names. */
const SHORTEST_NAME = 4;

/** Names of files by the folder that they lie in. */
export type FilesOnDisk = ReadonlyMap<string, readonly string[]>;

/**
 * Where disk and what Asterisk knows differ, in words: files that it does not know, and tracks whose file is gone.
 * A folder from which it knows nothing may belong to no class, so nothing is said of it.
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
 * A class that Asterisk does not know although its folder has music: when Asterisk started the folder was empty, and
 * `moh reload` passes by classes of a musiconhold.conf that has not changed since. With an Asterisk that knows no class
 * by this name and may have it from elsewhere nothing is said.
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

/** What res_musiconhold takes for music: whatever is not hidden and has a suffix. */
function isMusic(name: string): boolean {
  return name.length >= SHORTEST_NAME && !name.startsWith('.') && name.includes('.');
}

function withoutSuffix(name: string): string {
  return name.slice(0, name.lastIndexOf('.'));
}
