import { readdirSync } from 'node:fs';
import path from 'node:path';
import { DIRECTORIES, type DirectoryName, type Host } from '../support/harness/host.ts';
import type { Books } from './books.ts';
import { hashOfFile } from './hashOfFile.ts';
import { RESERVED_NAME } from '#core/path/names.ts';

const EVERY = 15;
const FILES_AT_ONCE = 12;
const KNOWN_NAME = /^(?:always\.conf|[fdex]\d?|big\d|m\d+|empty|link-\d|local-\d|xds_override_\d)$/;

/**
 * Reads files on all hosts again and again, as Asterisk would: each must be a content that a user wrote as a
 * whole, under a name that a user chose.
 */
export class Observer {
  looked = 0;
  readonly faults: string[] = [];
  readonly #hosts: readonly Host[];
  readonly #books: Books;
  readonly #queue: { host: Host; directory: DirectoryName; path: string }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(hosts: readonly Host[], books: Books) {
    this.#hosts = hosts;
    this.#books = books;
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), EVERY);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#queue.length === 0) this.#fill();
    for (const { host, directory, path } of this.#queue.splice(-FILES_AT_ONCE))
      this.#read(host, directory, path);
  }

  #fill(): void {
    for (const host of this.#hosts) {
      for (const directory of Object.keys(DIRECTORIES) as DirectoryName[]) this.#list(host, directory, '');
    }
    this.#queue.sort(() => Math.random() - 0.5);
  }

  #list(host: Host, directory: DirectoryName, folder: string): void {
    for (const entry of readdirOr(host.at(directory, folder))) {
      const { name } = entry;
      if (folder === '' && (name === RESERVED_NAME || (directory === 'sounds' && name === 'recordings')))
        continue;
      const inner = path.join(folder, name);
      if (!KNOWN_NAME.test(name)) this.faults.push(`${host.name}: ${directory}/${inner}: unknown name`);
      if (entry.isDirectory()) this.#list(host, directory, inner);
      else if (entry.isFile() && name !== 'always.conf') this.#queue.push({ host, directory, path: inner });
    }
  }

  #read(host: Host, directory: DirectoryName, file: string): void {
    let hash: string;
    try {
      hash = hashOfFile(host.at(directory, file));
    } catch {
      // It went away, or a link took its place.
      return;
    }
    this.looked += 1;
    const key = `${host.name}:${directory}/${file}`;
    const torn = this.#books.whyTorn(key, hash);
    if (torn === undefined) this.#books.sighted(key, hash);
    else this.faults.push(`${key}: ${torn} (${hash.slice(0, 16)})`);
  }
}

function readdirOr(folder: string): { name: string; isDirectory(): boolean; isFile(): boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
