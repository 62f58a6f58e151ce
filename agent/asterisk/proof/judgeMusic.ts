import type { Music } from './mohShow.ts';

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

/** What res_musiconhold takes for music: whatever is not hidden and has a suffix. */
function isMusic(name: string): boolean {
  return name.length >= SHORTEST_NAME && !name.startsWith('.') && name.includes('.');
}

function withoutSuffix(name: string): string {
  return name.slice(0, name.lastIndexOf('.'));
}
