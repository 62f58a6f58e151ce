import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { codeOf, errnoOf } from '#host/fs/errno.ts';
import { withRemedy } from '#host/fs/remedy.ts';

/** SQLite's result codes for disk errors (sqlite3.h), as errno names. */
const ERRNOS: ReadonlyMap<number, string> = new Map([
  [5, 'EBUSY'],
  [7, 'ENOMEM'],
  [8, 'EROFS'],
  [10, 'EIO'],
  [13, 'ENOSPC'],
  [14, 'EIO'],
]);
/** Result codes that do not tell which disk error occurred. */
const VAGUE: ReadonlySet<number> = new Set([10, 14]);

/**
 * The disk failed to read or write the state. The message names the state, the errno and the remedy; the file being
 * processed is not the cause.
 */
export class StateError extends Error {
  override name = 'StateError';
}

/**
 * The state's file is corrupt. It is set aside, and a new state is built from the files on disk.
 */
export class DamagedState extends StateError {
  override name = 'DamagedState';

  constructor(file: string, found: string, options?: ErrorOptions) {
    super(`the state (${file}) is damaged: ${found}`, options);
  }
}

/** Converts an error of SQLite to a {@link StateError} if the disk caused it; returns other errors unchanged. */
export function asStateError(error: unknown, file: string): unknown {
  const errno = errnoOfState(error, file);
  if (errno === undefined) return error;
  return new StateError(`the state (${file}) can't be written: ${withRemedy(errno)}`, { cause: error });
}

function errnoOfState(error: unknown, file: string): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (!('errcode' in error) || typeof error.errcode !== 'number') {
    const code = codeOf(error);
    return code?.startsWith('E') === true && 'syscall' in error ? code : undefined;
  }
  const kind = error.errcode & 0xff;
  const errno = ERRNOS.get(kind);
  return errno !== undefined && VAGUE.has(kind) ? (whatItSaysNow(file) ?? errno) : errno;
}

/** Finds the errno by writing a file beside the state. @returns undefined when that works */
function whatItSaysNow(file: string): string | undefined {
  const probe = path.join(path.dirname(file), `.probe-${randomBytes(4).toString('hex')}`);
  try {
    writeFileSync(probe, Buffer.alloc(4_096), { flag: 'wx', mode: 0o600, flush: true });
    return undefined;
  } catch (error) {
    return errnoOf(error);
  } finally {
    rmSync(probe, { force: true });
  }
}
