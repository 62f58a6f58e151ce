import { isFileTime } from '#protocol/entry.ts';
import { MAX_CLOCK_OFFSET_MS, MAX_FILE_BYTES } from '#protocol/limits.ts';
import type { Entry } from './entry.ts';

const MAX_ID = 0xffff_ffff;
const MAX_ACCOUNT = 256;
const MAX_TARGET = 4096;
const MODES = 0o7777;
const MAX_CLOCK = BigInt(MAX_CLOCK_OFFSET_MS) * 1_000_000n;

/** Whether a text is by how much a clock can be wrong: nanoseconds, decimal. */
export function isClock(text: unknown): text is string {
  if (typeof text !== 'string' || !/^-?\d{1,19}$/.test(text)) return false;
  const clock = BigInt(text);
  return clock <= MAX_CLOCK && clock >= -MAX_CLOCK;
}

/** Whether a clock offset is plausible. @param milliseconds either sign */
export function isClockOffset(milliseconds: number): boolean {
  return Number.isFinite(milliseconds) && Math.abs(milliseconds) <= MAX_CLOCK_OFFSET_MS;
}

/**
 * Whether a value is a valid entry. `entrySchema` checks the same for what arrives from a peer; this is the fast check
 * for stored rows, of which a start reads a hundred thousand.
 */
export function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { type, owner, group, uid, gid, mode, size, hash, mtime, target } = value as Readonly<
    Record<string, unknown>
  >;
  if (!isAccount(owner) || !isAccount(group) || !isUpTo(uid, MAX_ID) || !isUpTo(gid, MAX_ID)) return false;
  if (type === 'link') return typeof target === 'string' && target !== '' && target.length <= MAX_TARGET;
  if (!isUpTo(mode, MODES)) return false;
  if (type === 'folder') return true;
  return (
    type === 'file' &&
    isUpTo(size, MAX_FILE_BYTES) &&
    typeof hash === 'string' &&
    /^[0-9a-f]{64}$/.test(hash) &&
    typeof mtime === 'string' &&
    isFileTime(mtime)
  );
}

function isAccount(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ACCOUNT;
}

function isUpTo(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}
