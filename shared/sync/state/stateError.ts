import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from '#host/fs/errno.ts';
import { withRemedy } from '#host/fs/remedy.ts';

/** SQLite's words for what the disk did (sqlite3.h), as the errno that people know. */
const ERRNOS: ReadonlyMap<number, string> = new Map([
  [5, 'EBUSY'],
  [7, 'ENOMEM'],
  [8, 'EROFS'],
  [10, 'EIO'],
  [13, 'ENOSPC'],
  [14, 'EIO'],
]);
/** For these SQLite does not say which error of the disk it was. */
const VAGUE: ReadonlySet<number> = new Set([10, 14]);

/**
 * The disk that holds the state did not let it be read or written. The message names the state, the errno and what
 * helps: it is no trouble of the file in hand.
 */
export class StateError extends Error {
  override name = 'StateError';
}

/**
 * The state's bytes are not what this program wrote. It is of no more use: it is set aside, and a new one is built
 * from what is on disk.
 */
export class DamagedState extends StateError {
  override name = 'DamagedState';

  constructor(file: string, found: string, options?: ErrorOptions) {
    super(`the state (${file}) is damaged: ${found}`, options);
  }
}

/** An error of SQLite as a {@link StateError}, where it is the disk's and not a mistake of this program; else as it is. */
export function asStateError(error: unknown, file: string): unknown {
  const errno = errnoOfState(error, file);
  if (errno === undefined) return error;
  return new StateError(`the state (${file}) can't be written: ${withRemedy(errno)}`, { cause: error });
}

function errnoOfState(error: unknown, file: string): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { errcode, code } = error as { errcode?: number; code?: string };
  if (errcode === undefined) return code?.startsWith('E') === true && 'syscall' in error ? code : undefined;
  const kind = errcode & 0xff;
  const errno = ERRNOS.get(kind);
  return errno !== undefined && VAGUE.has(kind) ? (whatItSaysNow(file) ?? errno) : errno;
}

/** Writes something beside the state, to hear the errno. @returns undefined when that works */
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
