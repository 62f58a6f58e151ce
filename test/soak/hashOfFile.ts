import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** A write to a version of this age gives it another ctime, milliseconds: its clock ticks every 10 ms at least. */
const OLD_ENOUGH = 100;

const buffer = Buffer.alloc(1024 * 1024);
const known = new Map<string, { readonly version: string; readonly hash: string }>();

/**
 * The hash of a file's content. It is opened each time, as Asterisk does; a version that was read before is not read again,
 * or the soak would mostly hash large files that have not changed.
 * @throws Node's fs errors; ELOOP for a link
 */
export function hashOfFile(file: string): string {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { ino, size, ctimeNs } = fstatSync(fd, { bigint: true });
    const version = `${ino} ${size} ${ctimeNs}`;
    const before = known.get(file);
    if (before?.version === version) return before.hash;
    const isOld = Date.now() - Number(ctimeNs / 1_000_000n) > OLD_ENOUGH;
    const hash = hashOfOpen(fd);
    if (isOld) known.set(file, { version, hash });
    return hash;
  } finally {
    closeSync(fd);
  }
}

function hashOfOpen(fd: number): string {
  const hash = createHash('sha256');
  for (let at = 0; ;) {
    const read = readSync(fd, buffer, 0, buffer.length, at);
    if (read === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, read));
    at += read;
  }
}
