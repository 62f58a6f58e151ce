import { createHash, type Hash } from 'node:crypto';
import { closeSync, fchmodSync, fchownSync, fstatSync, writeSync } from 'node:fs';
import type { Folder } from '../disk/folder.ts';
import { setMtime } from '../disk/syscalls.ts';
import type { Entry, FileEntry } from '../manifest/entry.ts';
import type { Staged } from './changeSet.ts';

/** A file that is being written into the staging area; its hash grows with it. */
export class StagedFile {
  readonly #stage: Folder;
  readonly #name: string;
  readonly #fd: number;
  /** Tells it apart from what may take its name. */
  readonly inode: string;
  readonly #hash: Hash = createHash('sha256');
  #size = 0;
  #open = true;

  /** @throws EEXIST when the name is taken, ENOSPC, … */
  constructor(stage: Folder, name: string) {
    this.#stage = stage;
    this.#name = name;
    this.#fd = stage.createFile(name);
    this.inode = String(fstatSync(this.#fd, { bigint: true }).ino);
  }

  /** @throws ENOSPC, EDQUOT, EIO, … */
  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) at += writeSync(this.#fd, chunk, at);
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  /**
   * Closes it with the metadata it will be seen with.
   * @returns undefined, and removes it, when its content is not what the entry says
   */
  finish(entry: FileEntry): Staged | undefined {
    if (this.#size !== entry.size || this.#hash.digest('hex') !== entry.hash) {
      this.discard();
      return undefined;
    }
    fchownSync(this.#fd, entry.uid, entry.gid);
    fchmodSync(this.#fd, entry.mode);
    setMtime(this.#fd, BigInt(entry.mtime));
    this.#close();
    return { name: this.#name, inode: this.inode };
  }

  /** Gives it up: its name goes, and its handle. Once finished, it is no longer this one's to remove. */
  discard(): void {
    if (!this.#open) return;
    this.#close();
    this.#stage.removeFile(this.#name);
  }

  #close(): void {
    this.#open = false;
    closeSync(this.#fd);
  }
}

/** Stages a folder or a link. @throws when it can't be made as it should be; then nothing is left of it */
export function stageBare(stage: Folder, name: string, entry: Exclude<Entry, FileEntry>): Staged {
  if (entry.type === 'folder') stage.makeFolder(name, 0o700);
  else stage.makeLink(name, entry.target);
  try {
    dress(stage, name, entry);
  } catch (error) {
    if (entry.type === 'folder') stage.removeFolder(name);
    else stage.removeFile(name);
    throw error;
  }
  const stat = stage.stat(name);
  if (stat === undefined) throw new Error(`the staged ${entry.type} ${name} vanished`);
  return { name, inode: String(stat.ino) };
}

/** The staging area is ours alone, so a name in it is what we made. Owner first: that takes set-id bits away. */
function dress(folder: Folder, name: string, entry: Exclude<Entry, FileEntry>): void {
  folder.setOwner(name, entry.uid, entry.gid);
  if (entry.type === 'folder') folder.setMode(name, entry.mode);
}
