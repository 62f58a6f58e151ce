import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../support/harness/host.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { type Books, hashOf, keyOf } from './books.ts';
import { contentOf, smallContentOf } from './content.ts';
import { hashOfFile } from './hashOfFile.ts';
import { type Deed, isLocal, isOverridePath, type Operation, type Place } from './operation.ts';

const NOFOLLOW = constants.O_NOFOLLOW;
const SLOW_CHUNKS = 6;

/** What belongs to one host alone, and must stay as its user left it: content and mtime. */
export type Protected = { readonly hash: string; readonly mtimeMs: number };

/** The users of all hosts: they do deeds, and the books are kept. */
export class Users {
  readonly books: Books;
  readonly protected = new Map<string, Protected>();
  /** Folders that a user made, or moved somewhere: they may be on one MDS alone. */
  readonly ownFolders = new Set<string>();
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #seed: number;
  readonly #busy = new Map<string, Place>();
  readonly #slow = new Set<Promise<void>>();

  constructor(hosts: ReadonlyMap<string, Host>, seed: number, books: Books) {
    this.#hosts = hosts;
    this.#seed = seed;
    this.books = books;
  }

  /** @returns what came of it, for the log */
  carryOut(deed: Deed, number: number): string {
    if (this.#isBusy(deed.at) || ('to' in deed && this.#isBusy(this.#target(deed)))) return 'left out (busy)';
    try {
      return this.#carryOut(deed, number);
    } catch (error) {
      const errno = errnoOf(error);
      // The product, or an earlier deed, has something else there: a user's command fails like that, too.
      const harmless = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'EEXIST', 'ELOOP', 'EINVAL'];
      if (harmless.includes(errno)) return `failed (${errno})`;
      throw error;
    }
  }

  /** Waits until all writers have finished. */
  async rest(): Promise<void> {
    await Promise.all(this.#slow);
    this.#slow.clear();
  }

  fileOf({ host, directory, path }: Place): string {
    const found = this.#hosts.get(host);
    if (found === undefined) throw new Error(`no host ${host}`);
    return found.at(directory, path);
  }

  #carryOut(deed: Deed, number: number): string {
    const { at } = deed;
    const file = this.fileOf(at);
    switch (deed.do) {
      case 'write': {
        this.#makeParents(at);
        const content = contentOf(at.directory, this.#seed, number, deed.size);
        if (deed.how === 'in-place') this.#writeInPlace(at, content, number);
        else this.#writeRenamed(at, content, number);
        return 'done';
      }
      case 'write-slowly': {
        this.#makeParents(at);
        const content = contentOf(at.directory, this.#seed, number, deed.size);
        const { takes } = deed;
        const work = this.#writeSlowly(this.#open(file), at, content, { takes, number });
        this.#slow.add(work);
        return 'started';
      }
      case 'append':
        this.#makeParents(at);
        this.#append(at, contentOf(at.directory, this.#seed, number, deed.size), number);
        return 'done';
      case 'fill':
        this.#fill(at, deed.files, number);
        return 'done';
      case 'remove':
        if (lstatSync(file).isDirectory()) return 'left out (a folder)';
        this.#ending(at, () => unlinkSync(file));
        this.#settled(at);
        return 'done';
      case 'rename':
        return this.#rename(at, this.#target(deed), number);
      case 'remove-folder':
        if (!lstatSync(file).isDirectory()) return 'left out (no folder)';
        this.#removeFolder(at);
        return 'done';
      case 'make-folder':
        mkdirSync(file, { recursive: true });
        this.#ownFolder(at);
        return 'done';
      case 'link':
        symlinkSync(deed.target, file);
        return 'done';
      case 'touch':
        if (lstatSync(file).isDirectory()) return 'left out (a folder)';
        if (lstatSync(file).isSymbolicLink()) return 'left out (a link)';
        chmodSync(file, deed.mode);
        return 'done';
    }
  }

  #target({ at, to }: Extract<Deed, { to: string }>): Place {
    return { ...at, path: to };
  }

  /** Opens without cutting: what is there is read through the same handle that then changes it. */
  #open(file: string): number {
    return openSync(file, constants.O_RDWR | constants.O_CREAT | NOFOLLOW, 0o644);
  }

  #writeInPlace(at: Place, content: Buffer, number: number): void {
    const fd = this.#open(this.fileOf(at));
    try {
      const before = readAll(fd);
      if (before.length > 0) this.books.destroyed(at, hashOf(before));
      ftruncateSync(fd, 0);
      writeSync(fd, content, 0, content.length, 0);
    } finally {
      closeSync(fd);
    }
    this.books.written(at, hashOf(content), number);
    this.#settled(at);
  }

  #writeRenamed(at: Place, content: Buffer, number: number): void {
    const file = this.fileOf(at);
    if (lookAt(file)?.isDirectory() === true) return;
    const root = this.#hosts.get(at.host)?.root ?? '';
    const aside = path.join(root, `aside-${number}`);
    writeFileSync(aside, content);
    this.#ending(at, () => renameSync(aside, file));
    this.books.written(at, hashOf(content), number);
    this.#settled(at);
  }

  async #writeSlowly(
    fd: number,
    at: Place,
    content: Buffer,
    { takes, number }: { takes: number; number: number },
  ): Promise<void> {
    this.#busy.set(keyOf(at), at);
    try {
      const before = readAll(fd);
      if (before.length > 0) this.books.destroyed(at, hashOf(before));
      ftruncateSync(fd, 0);
      const piece = Math.max(1, Math.ceil(content.length / SLOW_CHUNKS));
      for (let end = 0; end < content.length; end += piece) {
        this.books.partly(at, hashOf(content.subarray(0, end)));
        await sleep(takes / SLOW_CHUNKS);
        writeSync(fd, content, end, Math.min(piece, content.length - end), end);
      }
    } finally {
      closeSync(fd);
      this.#busy.delete(keyOf(at));
    }
    this.books.written(at, hashOf(content), number);
  }

  #append(at: Place, more: Buffer, number: number): void {
    const fd = this.#open(this.fileOf(at));
    try {
      const before = readAll(fd);
      if (before.length > 0) this.books.destroyed(at, hashOf(before));
      writeSync(fd, more, 0, more.length, before.length);
      this.books.written(at, hashOf(Buffer.concat([before, more])), number);
    } finally {
      closeSync(fd);
    }
    this.#settled(at);
  }

  /** Does what takes a name away from a content, and notes which content that was. */
  #ending(at: Place, end: () => void): void {
    const stat = lookAt(this.fileOf(at));
    if (stat === undefined || !stat.isFile()) return end();
    const fd = openSync(this.fileOf(at), constants.O_RDONLY | NOFOLLOW);
    try {
      const content = readAll(fd);
      end();
      if (fstatSync(fd).nlink === 0) this.books.destroyed(at, hashOf(content));
      // The product put something else there in between: that is what ended.
      else this.books.destroyedAny(at);
    } finally {
      closeSync(fd);
    }
  }

  #rename(at: Place, to: Place, number: number): string {
    const source = lstatSync(this.fileOf(at));
    const target = lookAt(this.fileOf(to));
    if (at.path === to.path) return 'left out (the same)';
    if (source.isDirectory()) {
      if (target !== undefined) return 'left out (something is there)';
      renameSync(this.fileOf(at), this.fileOf(to));
      this.books.destroyedBelow(at);
      for (const place of this.#filesBelow(to))
        this.#moved({ ...at, path: at.path + place.path.slice(to.path.length) }, place, number);
      this.#ownFolder(to);
      return 'done';
    }
    if (target?.isDirectory() === true || !source.isFile()) return 'left out (a folder, or a link)';
    this.#makeParents(to);
    this.#ending(to, () => renameSync(this.fileOf(at), this.fileOf(to)));
    this.#moved(at, to, number);
    return 'done';
  }

  /** What was at one place is at another now. */
  #moved(from: Place, to: Place, number: number): void {
    this.books.destroyedAny(from);
    const file = this.fileOf(to);
    if (lookAt(file)?.isFile() === true) {
      const hash = hashOfFile(file);
      if (this.books.whyTorn(keyOf(to), hash) === undefined) this.books.written(to, hash, number);
    }
    this.#settled(from);
    this.#settled(to);
  }

  #removeFolder(at: Place): void {
    const files = [...this.#filesBelow(at)];
    if (files.some((place) => this.#isBusy(place))) return;
    for (const place of files) {
      this.#ending(place, () => unlinkSync(this.fileOf(place)));
      this.#settled(place);
    }
    rmSync(this.fileOf(at), { recursive: true, force: true });
    // What came in between is gone with it.
    this.books.destroyedBelow(at);
  }

  *#filesBelow(at: Place): Iterable<Place> {
    for (const entry of readdirSync(this.fileOf(at), { withFileTypes: true })) {
      const inner = { ...at, path: `${at.path}/${entry.name}` };
      if (entry.isDirectory()) {
        yield* this.#filesBelow(inner);
      } else if (entry.isFile()) yield inner;
    }
  }

  #fill(at: Place, files: number, number: number): void {
    for (let i = 0; i < files; i++) {
      const place = { ...at, path: `${at.path}/m${i}` };
      this.#makeParents(place);
      this.#writeInPlace(place, smallContentOf(this.#seed, number, i), number);
    }
  }

  #makeParents(at: Place): void {
    const parent = path.dirname(at.path);
    if (parent === '.') return;
    const place = { ...at, path: parent };
    if (existsSync(this.fileOf(place))) return;
    mkdirSync(this.fileOf(place), { recursive: true });
    this.#ownFolder(place);
  }

  #ownFolder(at: Place): void {
    const parts = at.path.split('/');
    for (let i = 1; i <= parts.length; i++)
      this.ownFolders.add(keyOf({ ...at, path: parts.slice(0, i).join('/') }));
    if (lookAt(this.fileOf(at))?.isDirectory() !== true) return;
    for (const entry of readdirSync(this.fileOf(at), { withFileTypes: true })) {
      if (entry.isDirectory()) this.#ownFolder({ ...at, path: `${at.path}/${entry.name}` });
    }
  }

  /** How a place that belongs to one host alone was left by its user. */
  #settled(at: Place): void {
    const alone = isOverridePath(at.path) || (isLocal(at.path) && at.directory !== 'recordings');
    if (!alone) return;
    const stat = lookAt(this.fileOf(at));
    if (stat?.isFile() !== true) this.protected.delete(keyOf(at));
    else
      this.protected.set(keyOf(at), {
        hash: hashOfFile(this.fileOf(at)),
        mtimeMs: stat.mtimeMs,
      });
  }

  #isBusy(at: Place): boolean {
    for (const busy of this.#busy.values()) {
      if (busy.host !== at.host || busy.directory !== at.directory) continue;
      if (busy.path === at.path || busy.path.startsWith(`${at.path}/`)) return true;
    }
    return false;
  }
}

export function isDeed(what: Operation['what']): what is Deed {
  return 'at' in what;
}

export function lookAt(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch {
    // A file stands where a folder was.
    return undefined;
  }
}

function readAll(fd: number): Buffer {
  const content = Buffer.alloc(fstatSync(fd).size);
  let length = 0;
  while (length < content.length) {
    const read = readSync(fd, content, length, content.length - length, length);
    if (read === 0) break;
    length += read;
  }
  return content.subarray(0, length);
}
