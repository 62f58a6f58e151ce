import { readFileSync, statSync } from 'node:fs';
import type { OwnerNames } from '#core/manifest/localise.ts';

type Table = {
  readonly byName: Map<string, number>;
  readonly byNumber: Map<number, string>;
  readonly mtime: number;
};

/** Users and groups of this host by name, from /etc/passwd and /etc/group, read again when they change. */
export class Owners implements OwnerNames {
  /** Grows when either of the files has changed. */
  revision = 0;
  readonly #tables = new Map<string, Table>();

  /** A user's name, or the number in decimal where no name is known. */
  userName(uid: number): string {
    return this.#table('/etc/passwd').byNumber.get(uid) ?? String(uid);
  }

  groupName(gid: number): string {
    return this.#table('/etc/group').byNumber.get(gid) ?? String(gid);
  }

  /** The id of a name on this host, or the sender's id when the name is unknown here. */
  userNumber(name: string, otherwise: number): number {
    return this.#table('/etc/passwd').byName.get(name) ?? otherwise;
  }

  groupNumber(name: string, otherwise: number): number {
    return this.#table('/etc/group').byName.get(name) ?? otherwise;
  }

  /** Rereads the files if they changed. Called once per pass, not per file. */
  refresh(): void {
    for (const [path, table] of this.#tables) {
      if (mtimeOf(path) === table.mtime) continue;
      this.#tables.delete(path);
      this.revision += 1;
    }
  }

  #table(path: string): Table {
    const known = this.#tables.get(path);
    if (known) return known;
    const table: Table = { byName: new Map(), byNumber: new Map(), mtime: mtimeOf(path) };
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const [name, , number] = line.split(':');
      if (!name || number === undefined || !/^\d+$/.test(number)) continue;
      table.byName.set(name, Number(number));
      if (!table.byNumber.has(Number(number))) table.byNumber.set(Number(number), name);
    }
    this.#tables.set(path, table);
    return table;
  }
}

function mtimeOf(path: string): number {
  return statSync(path).mtimeMs;
}
