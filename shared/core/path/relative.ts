import { encodeName } from './nameBytes.ts';
import { OVERRIDE_PREFIX, RESERVED_NAME } from './names.ts';

/** Linux: a name has at most 255 bytes, a path that a system call takes at most 4096. */
const MAX_NAME_BYTES = 255;
export const MAX_PATH_BYTES = 4096;
/** Deeper trees are refused: each level costs an open folder handle while it is read. */
export const MAX_DEPTH = 64;

/**
 * Why a path from a peer can't be used inside a synchronised directory; undefined when it can.
 * A valid path is relative, `/`-separated, without empty, `.` or `..` parts, without NUL, and outside the private folder.
 */
export function refusePath(path: string): string | undefined {
  if (path === '') return 'the path is empty';
  if (path.includes('\0')) return 'the path contains a NUL byte';
  if (path.startsWith('/')) return 'the path is absolute';
  const parts = path.split('/');
  if (parts.length > MAX_DEPTH) return `the path is more than ${MAX_DEPTH} folders deep`;
  for (const part of parts) {
    if (part === '') return 'the path has an empty part';
    if (part === '.' || part === '..') return `the path has a part "${part}"`;
    if (part.length > MAX_NAME_BYTES / 4 && encodeName(part).length > MAX_NAME_BYTES) {
      return `a part of the path is longer than ${MAX_NAME_BYTES} bytes`;
    }
  }
  if (parts[0] === RESERVED_NAME) return `"${RESERVED_NAME}" is this program's own folder`;
  if (tooLong(path) !== undefined) {
    return `the path is longer than ${MAX_PATH_BYTES} bytes`;
  }
  return undefined;
}

/** Length in bytes of a path that is too long for any system call; undefined for a path that is short enough. */
export function tooLong(path: string): number | undefined {
  if (path.length <= MAX_PATH_BYTES / 4) return undefined;
  const bytes = encodeName(path).length;
  return bytes > MAX_PATH_BYTES ? bytes : undefined;
}

/** True when the path, or any folder above it, is an override: no host reads, sends, replaces or removes it. */
export function isOverride(path: string): boolean {
  return path.startsWith(OVERRIDE_PREFIX) || path.includes(`/${OVERRIDE_PREFIX}`);
}

/** The folder that holds a path; '' for the synchronised directory itself. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}

/** The last part of a relative path. */
export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Joins a folder ('' for the directory itself) and a name. */
export function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** True when `path` lies below `folder` (not when it is `folder`). Everything lies below ''. */
export function isBelow(path: string, folder: string): boolean {
  return (
    folder === '' || (path.length > folder.length && path[folder.length] === '/' && path.startsWith(folder))
  );
}

/** The number of parts of a relative path. */
export function depthOf(path: string): number {
  let depth = 1;
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) depth += 1;
  return depth;
}
