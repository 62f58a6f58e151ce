import { lstatSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { isBelow } from '#core/path/relative.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { defaultDirectory } from '#host/config/directoryConfig.ts';

/** The path of a directory on this host, without the --root prefix; or the reason why Main's path is refused. */
export type Place = { readonly path: string } | { readonly refusal: string };

export type PlaceRules = {
  /** This host's own settings for directories. */
  readonly directories: readonly { readonly name: string; readonly path: string }[];
  /** Folders within which Main may name a path. */
  readonly allow: readonly string[];
  /** This program's own folders: nothing is ever synchronised there. */
  readonly own: readonly string[];
  /** Resolves an absolute path under --root. */
  readonly locate: (path: string) => string;
};

/**
 * The path of a directory of Main here: from this host's own configuration; for the four of a XiVO, the usual path;
 * otherwise Main's path, if it is within the folders that this host allows, also after links are followed.
 */
export function placeOf(
  { name, path: said }: { readonly name: string; readonly path?: string | undefined },
  rules: PlaceRules,
): Place {
  const written = rules.directories.find((each) => each.name === name);
  if (written !== undefined) return { path: written.path };
  const usual = defaultDirectory(name)?.path;
  if (usual !== undefined && (said === undefined || said === usual)) return { path: usual };
  if (said === undefined)
    return {
      refusal: `Main has a directory "${name}" that this MDS does not know: add it under "directories" in its agent.yml`,
    };
  const refusal = whyNotThere(said, rules);
  return refusal === undefined
    ? { path: said }
    : {
        refusal: `Main has a directory "${name}" at ${said}, ${refusal}. Allow that folder ("allow" in this MDS's agent.yml), or set its path here ("directories" there)`,
      };
}

function whyNotThere(said: string, { allow, own, locate }: PlaceRules): string | undefined {
  if (!said.startsWith('/') || said.includes('\0') || path.posix.normalize(said) !== said || said === '/')
    return 'which is not an absolute path';
  if (!isWithin(said, allow))
    return `which is outside the folders that this MDS allows (${allow.join(', ')})`;
  // RACE: a folder on the way is replaced by a link after this check. Worst case: the directory is kept where the link
  // leads. Only a user who may write above it (root, in /etc and /var) can do that.
  const real = followed(locate(said));
  if (typeof real !== 'string') return `which can't be followed here (${real.errno})`;
  if (isWithin(real, own.map(realOr)) || own.some((each) => isBelow(realOr(each), real)))
    return "which would be this program's own folder";
  const roots = allow.map((each) => realOr(locate(each)));
  return isWithin(real, roots)
    ? undefined
    : `which a link leads to ${real}, outside the folders that this MDS allows`;
}

function isWithin(place: string, roots: readonly string[]): boolean {
  return roots.some((root) => place === root || isBelow(place, root));
}

/** Resolves all links of a path; parts that do not exist yet are taken literally. */
function followed(place: string): string | { readonly errno: string } {
  const missing: string[] = [];
  for (let at = place; ; at = path.dirname(at)) {
    try {
      return path.join(realpathSync(at), ...missing);
    } catch (error) {
      const errno = errnoOf(error);
      // A dangling link is ENOENT, too. Its target may be created anywhere later, so it is refused.
      if (errno !== 'ENOENT' || at === '/' || isLink(at)) return { errno };
      missing.unshift(path.basename(at));
    }
  }
}

function isLink(place: string): boolean {
  return lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function realOr(place: string): string {
  const real = followed(place);
  return typeof real === 'string' ? real : place;
}
