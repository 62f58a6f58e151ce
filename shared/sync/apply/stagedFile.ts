import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, writeSync } from 'node:fs';
import { readAhead } from '#host/fs/readAhead.ts';
import { setMetadata } from '#host/fs/metadata.ts';
import { openStat } from '#host/fs/listing/openStat.ts';
import type { Folder } from '#host/fs/folder.ts';
import type { Entry, FileEntry } from '#core/manifest/entry.ts';
import type { Staged } from '#core/changeSet.ts';
import type { StagingThread } from './thread/stagingThread.ts';
import { WriteInThread } from './writing/writeInThread.ts';
import { WriteBehind } from './writing/writeBehind.ts';

type Place = { readonly folder: Folder; readonly name: string };

/** A file that is being written into the staging area and hashed on the way. */
export class StagedFile {
  readonly #place: Place;
  /** Its name once complete. Differs from its place for a resumable file, which is kept under its hash when interrupted. */
  readonly #goal: Place;
  readonly #fd: number;
  /** Identifies it, since another object may take its name. */
  readonly inode: string;
  readonly #hash: Hash = createHash('sha256');
  #size = 0;
  #open = true;
  /** Of a file that is not written by this thread. */
  #behind: WriteBehind | WriteInThread | undefined;
  /** Its SHA-256 by the thread that has written it. */
  #hashInThread: string | undefined;

  private constructor(place: Place, goal: Place, fd: number) {
    this.#place = place;
    this.#goal = goal;
    this.#fd = fd;
    this.inode = openStat(fd).inode;
  }

  /** @throws EEXIST when the name is taken, ENOSPC, … */
  static create(stage: Folder, name: string): StagedFile {
    const place = { folder: stage, name };
    return new StagedFile(place, place, stage.createFile(name));
  }

  /**
   * Opens a resumable file: continues an interrupted transfer of the same content, or starts a new one.
   * @param ending ends the reading of what is there already, which stays
   * @throws ENOSPC, EIO, …; the reason of `ending`
   */
  static async resume(partial: Folder, hash: string, goal: Place, ending: AbortSignal): Promise<StagedFile> {
    const fd = partial.openForAppend(hash);
    const file = new StagedFile({ folder: partial, name: hash }, goal, fd);
    try {
      const { size } = fstatSync(fd);
      for await (const piece of readAhead(fd, { end: size })) {
        ending.throwIfAborted();
        file.#take(piece);
      }
      return file;
    } catch (error) {
      if (ending.aborted) file.#close();
      else file.discard();
      throw error;
    }
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** @throws ENOSPC, EDQUOT, EIO, … */
  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) at += writeSync(this.#fd, chunk, at);
    this.#take(chunk);
  }

  /**
   * Writes in the thread pool, while this thread hashes. Until it resolves nothing else may be called; then the bytes may be
   * overwritten.
   * @param thread writes and hashes instead, unless a part of the file was there already
   * @throws ENOSPC, EDQUOT, EIO, … of an earlier piece
   */
  writeBehind(chunk: Uint8Array, thread?: StagingThread): Promise<void> | undefined {
    const behind = this.#writer(thread);
    this.#size += chunk.length;
    return behind.add(chunk);
  }

  /**
   * The same for a part of another open file. Until it resolves nothing else may be called.
   * @param from its descriptor
   * @param part offsets of its start and end, bytes; where the other file has become shorter, less is taken
   * @param thread as for {@link writeBehind}
   * @param onPiece called before each piece; an error of it ends this
   * @throws ENOSPC, EDQUOT, EIO, … of an earlier piece; Node's fs errors of the other file; errors of `onPiece`
   */
  async copyBehind(
    from: number,
    part: { readonly start: number; readonly end: number },
    thread: StagingThread | undefined,
    onPiece: () => void,
  ): Promise<void> {
    const behind = this.#writer(thread);
    for (let at = part.start; at < part.end;) {
      onPiece();
      const count = await behind.addFrom(from, at, part.end);
      if (count === 0) return;
      at += count;
      // What an interruption leaves counts.
      this.#size += count;
    }
  }

  #writer(thread: StagingThread | undefined): WriteBehind | WriteInThread {
    if (this.#behind === undefined && this.#size === 0 && thread !== undefined)
      this.#behind = new WriteInThread(this.#fd, thread);
    this.#behind ??= new WriteBehind(this.#fd, (piece) => this.#hash.update(piece));
    return this.#behind;
  }

  /** Completes what was written behind. @throws ENOSPC, EDQUOT, EIO, … */
  async flush(): Promise<void> {
    const hash = await this.#behind?.flush();
    if (typeof hash === 'string') this.#hashInThread = hash;
  }

  /** The same after an interruption: whatever can be written is, and an error is of no interest any more. */
  async interrupted(): Promise<void> {
    // The descriptor of one that is closed may be another file's by now.
    if (this.#open) await this.flush().catch(() => undefined);
  }

  #take(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  /**
   * Sets its final metadata and closes it. What was written behind has to be flushed.
   * @returns undefined, after removing it, when size or hash differ from the entry
   */
  finish(entry: FileEntry): Staged | undefined {
    if (this.#size !== entry.size || (this.#hashInThread ?? this.#hash.digest('hex')) !== entry.hash) {
      this.discard();
      return undefined;
    }
    setMetadata(this.#fd, entry);
    const { folder, name } = this.#goal;
    if (this.#isResumable) this.#place.folder.rename(this.#place.name, folder, name, 'no-replace');
    this.#close();
    return { name, inode: this.inode };
  }

  /** Closes and removes it. Does nothing once it is finished. */
  discard(): void {
    if (!this.#open) return;
    this.#close();
    this.#place.folder.removeFile(this.#place.name);
  }

  /** Ends an interrupted transfer: a resumable file stays, any other is removed. */
  suspend(): void {
    if (this.#open && this.#isResumable && this.#size > 0) this.#close();
    else this.discard();
  }

  get #isResumable(): boolean {
    return this.#place !== this.#goal;
  }

  #close(): void {
    this.#open = false;
    if (this.#behind === undefined) closeSync(this.#fd);
    else this.#behind.close();
  }
}

/** Stages a folder or a link. @throws when it can't be created with its metadata; nothing is left of it then */
export function stageBare(stage: Folder, name: string, entry: Exclude<Entry, FileEntry>): Staged {
  if (entry.type === 'folder') stage.makeFolder(name, 0o700);
  else stage.makeLink(name, entry.target);
  try {
    setBareMetadata(stage, name, entry);
  } catch (error) {
    if (entry.type === 'folder') stage.removeFolder(name);
    else stage.removeFile(name);
    throw error;
  }
  const stat = stage.stat(name);
  if (stat === undefined) throw new Error(`the staged ${entry.type} ${name} vanished`);
  return { name, inode: String(stat.ino) };
}

/** No other user can write to the staging area, so the name is the object created here. */
function setBareMetadata(stage: Folder, name: string, entry: Exclude<Entry, FileEntry>): void {
  if (entry.type === 'link') return stage.setOwner(name, entry.uid, entry.gid);
  const folder = stage.open(name);
  try {
    setMetadata(folder.fd, entry);
  } finally {
    folder.close();
  }
}
