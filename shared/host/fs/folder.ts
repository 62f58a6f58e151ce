import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  lchownSync,
} from 'node:fs';
import { decodeName, encodeName } from '#core/path/nameBytes.ts';
import { evenIfSticky } from './stickyFolder.ts';
import { openAt, renameAt, type RenameMode } from './libc.ts';
import type { FileVersion } from './listing/fileVersion.ts';
import { Listing } from './listing/listing.ts';
import { isMissingAt, versionAt } from './listing/nameVersion.ts';
import { objectAt, type ObjectStat } from './listing/objectStat.ts';

const { O_APPEND, O_RDONLY, O_RDWR, O_DIRECTORY, O_NOFOLLOW, O_CREAT, O_EXCL, O_WRONLY } = constants;

/**
 * An open folder. Names are resolved inside it by the kernel (through /proc/self/fd/N/name, which gives what
 * openat(2) gives), so replacing a folder of the path by a link meanwhile has no effect.
 * Methods throw Node's fs errors with their `code`.
 */
export class Folder {
  readonly fd: number;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** Opens a synchronised directory itself: the one place where links are followed. */
  static openRoot(path: string): Folder {
    return new Folder(openSync(path, O_RDONLY | O_DIRECTORY));
  }

  /** The folder behind a descriptor that its owner keeps open meanwhile, and closes. */
  static opened(fd: number): Folder {
    return new Folder(fd);
  }

  /** Opens a folder inside; a link there is an error (ENOTDIR or ELOOP). */
  open(name: string): Folder {
    return new Folder(openSync(this.at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  close(): void {
    closeSync(this.fd);
  }

  /** A path for Node's fs that means this name in this folder. */
  at(name: string): string | Buffer {
    const path = `/proc/self/fd/${this.fd}/${name}`;
    return name.isWellFormed() ? path : encodeName(path);
  }

  /** What is in the folder now. */
  listing(): Listing {
    return new Listing(this.fd);
  }

  /** Names in the folder, sorted. */
  list(): string[] {
    return [...this.listing().names()].sort();
  }

  /** @returns undefined when the name does not exist */
  stat(name: string): ObjectStat | undefined {
    return objectAt(this.fd, name, () => this.at(name));
  }

  /**
   * The version of a name as numbers, which are compared without an object for each.
   * @returns undefined when that is not possible, which says nothing about the name; otherwise what is valid until the next
   *   call for any name
   */
  version(name: string): FileVersion | undefined {
    return versionAt(this.fd, name);
  }

  /**
   * True when nothing is at a path below. This is no proof that something is when false: a folder of the path may be a link.
   */
  isMissing(path: string): boolean {
    return isMissingAt(this.fd, path);
  }

  readLink(name: string): string {
    return decodeName(readlinkSync(this.at(name), { encoding: 'buffer' }));
  }

  /** Opens a file for reading without following a link and without waiting for a fifo's writer. */
  openFile(name: string): number {
    return openAt(this.fd, name);
  }

  /** Creates a file that must not exist. @param mode less what the umask forbids */
  createFile(name: string, mode = 0o600): number {
    return openSync(this.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  }

  /** Opens one of the program's own files for reading and appending. */
  openForAppend(name: string): number {
    return openSync(this.at(name), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  }

  makeFolder(name: string, mode: number): void {
    mkdirSync(this.at(name), { mode });
  }

  makeLink(name: string, target: string): void {
    symlinkSync(encodeName(target), this.at(name));
  }

  removeFile(name: string): void {
    evenIfSticky([this.fd], () => unlinkSync(this.at(name)));
  }

  removeFolder(name: string): void {
    evenIfSticky([this.fd], () => rmdirSync(this.at(name)));
  }

  rename(name: string, to: Folder, toName: string, mode: RenameMode): void {
    evenIfSticky([this.fd, to.fd], () => renameAt(this.fd, name, to.fd, toName, mode));
  }

  setOwner(name: string, uid: number, gid: number): void {
    lchownSync(this.at(name), uid, gid);
  }

  /** Makes the folder's names durable. */
  sync(): void {
    fsyncSync(this.fd);
  }
}
