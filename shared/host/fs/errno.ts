import os from 'node:os';

/** The errno name of a file-system error (`ENOSPC`), or the text of anything else. */
export function errnoOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  if (code === undefined) return error.message;
  if (/^E[A-Z0-9]/.test(code)) return code;
  // Node has no name for some, such as EDQUOT: "Unknown system error -122".
  const number = 'errno' in error ? -Number(error.errno) : undefined;
  const known = Object.entries(os.constants.errno).find(([, each]) => each === number);
  return known?.[0] ?? code;
}

/** Why nothing is at a path: a part of it is missing, or not a folder. */
const MISSING: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/** True when a part of the path is missing or not a folder, so that nothing is there. */
export function isMissing(error: unknown): boolean {
  return saysMissing(errnoOf(error));
}

/** The same for the name of an error. */
export function saysMissing(errno: string): boolean {
  return MISSING.has(errno);
}

/** True when this program, or this host, may open no more files: that says nothing about the path. */
export function lacksHandles(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'EMFILE' || errno === 'ENFILE';
}

/**
 * The code that Node gave an error (`ENOENT`, `ERR_SSL_…`); undefined when it gave none. A program that was started and
 * failed has its exit code there, a number, which is none.
 */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
