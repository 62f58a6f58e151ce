import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { DialplanContent, DialplanWorld } from '#core/dialplan/world.ts';
import { isWithin, namesIn, readContent, sameContent } from './files.ts';
import { Overlay, type Put } from './overlay.ts';

/** The file that Asterisk reads first. */
const OUTERMOST = 'extensions.conf';

/** Location of a host's dialplan folder. */
export type DialplanPlace = {
  /** The folder on disk, and as Asterisk names it (without --root). */
  readonly path: string;
  readonly asteriskPath: string;
  /** The prefix of --root. */
  readonly root: string;
  /** Asterisk's configuration folder as reported by Asterisk; undefined until it was queried. */
  readonly configFolder?: string | undefined;
};

/** A host's files. */
export type HostWorld = DialplanWorld & {
  /** @param like returned itself when the file has this content */
  readonly read: (path: string, like?: DialplanContent) => DialplanContent | undefined;
};

/**
 * The files of a host as the model of the dialplan reads them.
 * @param changed the change set's content, by path below the folder
 * @param travels whether a path of the folder is included
 */
export function dialplanWorld(
  place: DialplanPlace,
  changed: ReadonlyMap<string, Put> = new Map(),
  travels?: (path: string) => boolean,
): HostWorld {
  const overlay = new Overlay(place.path, changed, travels);
  const names = new FolderNames(place);
  const contents = new Map<string, DialplanContent | undefined>();
  const below = (at: string): string => at.slice(place.path.length + 1);
  const read = (at: string, like?: DialplanContent): DialplanContent | undefined =>
    isWithin(at, place.path) ? overlay.read(below(at), like) : readContent(at, like);
  const start = path.join(names.configFolder, OUTERMOST);
  return {
    folder: place.path,
    start: existsSync(start) ? start : undefined,
    locate: (name) => names.locate(name),
    list: (folder) => (isWithin(folder, place.path) ? overlay.list(below(folder)) : namesIn(folder)),
    read: (at: string, like?: DialplanContent) => {
      if (!contents.has(at)) contents.set(at, read(at, like));
      else if (like !== undefined && sameContent(contents.get(at), like)) contents.set(at, like);
      return contents.get(at);
    },
  };
}

/** Resolves include paths: the names of the dialplan folder, and all others. */
class FolderNames {
  readonly configFolder: string;
  readonly #place: DialplanPlace;
  readonly #real: string;

  constructor(place: DialplanPlace) {
    this.#place = place;
    this.configFolder = place.configFolder ?? path.dirname(place.path);
    this.#real = realOr(place.path);
  }

  locate(name: string): string {
    if (path.isAbsolute(name)) return this.#absolute(path.posix.normalize(name));
    const beside = this.#ours(path.posix.join(this.configFolder, name));
    if (isWithin(beside, this.#place.path)) return beside;
    // Asterisk may use another configuration folder and not have been queried yet.
    const asNamed = this.#ours(path.posix.join(path.dirname(this.#place.path), name));
    return isWithin(asNamed, this.#place.path) || !existsSync(fixedPart(beside)) ? asNamed : beside;
  }

  #absolute(name: string): string {
    const { root, asteriskPath, path: folder } = this.#place;
    if (isWithin(name, folder)) return name;
    if (isWithin(name, asteriskPath)) return `${folder}${name.slice(asteriskPath.length)}`;
    // Main's root and an MDS's may differ where several hosts live on one machine.
    const at = root === '' || root === '/' ? -1 : name.indexOf(`${asteriskPath}/`);
    if (at !== -1) return `${folder}${name.slice(at + asteriskPath.length)}`;
    const rooted = path.join(root, name);
    return this.#ours(existsSync(fixedPart(rooted)) ? rooted : name);
  }

  /** Recognises the folder when it is reached under another name through links. */
  #ours(at: string): string {
    if (isWithin(at, this.#place.path)) return at;
    const fixed = fixedPart(at);
    const real = realOr(fixed);
    return isWithin(real, this.#real)
      ? `${this.#place.path}${real.slice(this.#real.length)}${at.slice(fixed.length)}`
      : at;
  }
}

/** The folders of a pattern before its first wildcard; of a plain path, the folder that holds it. */
function fixedPart(pattern: string): string {
  const at = pattern.search(/[*?[{]/);
  return path.dirname(at === -1 ? pattern : `${pattern.slice(0, at)}x`);
}

function realOr(at: string): string {
  try {
    return realpathSync(at);
  } catch {
    // It does not exist, so no link leads there either.
    return at;
  }
}
