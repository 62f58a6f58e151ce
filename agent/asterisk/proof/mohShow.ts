import path from 'node:path';

/** The tracks that Asterisk knows, without their suffix, by the folder that they lie in. */
export type Music = ReadonlyMap<string, ReadonlySet<string>>;

/** The names of the classes that Asterisk knows, in lower case: it takes no notice of case. From `moh show classes`. */
export function readMohClasses(text: string): Set<string> {
  return new Set([...text.matchAll(/^Class: (.*)$/gm)].map(([, name = '']) => name.toLowerCase()));
}

/** Reads what `moh show files` prints: a class, and below it its files with their whole paths but without suffix. */
export function readMohShow(text: string): Music {
  const music = new Map<string, Set<string>>();
  for (const [, file = ''] of text.matchAll(/^\s*File: (\/.*)$/gm)) {
    const folder = path.dirname(file);
    const tracks = music.get(folder) ?? new Set();
    music.set(folder, tracks.add(path.basename(file)));
  }
  return music;
}
