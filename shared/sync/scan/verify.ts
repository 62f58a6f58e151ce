import { closeSync, read } from 'node:fs';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { errnoOf } from '#host/fs/errno.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { stampOfOpen } from '#host/fs/listing/stampOfOpen.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import type { Replica } from './replica.ts';

const readAsync = promisify(read);
const CHUNK = 1024 * 1024;

export type Verified = {
  readonly files: number;
  readonly bytes: number;
  /** Files whose content differs from the remembered one or can't be read: the path and the reason. */
  readonly wrong: ReadonlyMap<string, string>;
};

/** Called while files are read: number of files finished and of bytes read since the last call. */
export type OnRead = (files: number, bytes: number) => void;

/**
 * Reads every byte of a directory again, ignoring stamps, and compares the hashes with the replica. A file that changes
 * during the verification is left to the watch.
 * @param signal ends it, within a block of a file
 * @throws the reason of the signal, or that the directory is being closed
 */
export async function verifyReplica(
  replica: Replica,
  onRead: OnRead,
  signal: AbortSignal,
): Promise<Verified> {
  const ended = AbortSignal.any([signal, replica.signal]);
  const wrong = new Map<string, string>();
  let files = 0;
  let bytes = 0;
  using open = new OpenFolders(replica.path);
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (const path of [...replica.paths()]) {
    ended.throwIfAborted();
    const state = replica.get(path);
    if (state?.kind !== 'settled' || state.entry.type !== 'file') continue;
    const stamp = replica.stampAt(path);
    try {
      const found = await hashNow(open, path, buffer, (read) => {
        ended.throwIfAborted();
        onRead(0, read);
      });
      onRead(1, 0);
      // It changed during or after the read: an ordinary change, not a fault.
      if (found.stamp !== stamp || replica.stampAt(path) !== stamp) continue;
      files += 1;
      bytes += state.entry.size;
      if (found.hash !== state.entry.hash)
        wrong.set(path, 'its bytes changed without any trace in its times');
    } catch (error) {
      ended.throwIfAborted();
      const errno = errnoOf(error);
      if (errno !== 'ENOENT' && errno !== 'ENOTDIR') wrong.set(path, `it can't be read (${errno})`);
    }
  }
  return { files, bytes, wrong };
}

async function hashNow(
  open: OpenFolders,
  path: string,
  buffer: Buffer,
  onBytes: (bytes: number) => void,
): Promise<{ hash: string; stamp: string }> {
  const fd = open.get(parentOf(path)).openFile(baseOf(path));
  try {
    const hash = createHash('sha256');
    for (;;) {
      const { bytesRead } = await readAsync(fd, buffer, 0, buffer.length, null);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      onBytes(bytesRead);
    }
    return { hash: hash.digest('hex'), stamp: stampOfOpen(fd) };
  } finally {
    closeSync(fd);
  }
}
