import { fstatSync, type FSWatcher, watch } from 'node:fs';
import type { Folder } from '#host/fs/folder.ts';
import type { ObjectStat } from '#host/fs/listing/objectStat.ts';
import { decodeName } from '#core/path/nameBytes.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';

/** Under this name the kernel reports what happens to a watched folder itself; no object can have it. */
const ITSELF = '.';

export type WatchListener = {
  /**
   * Called when something may have happened to a name in a folder; undefined when any name may be meant. With `isRename`
   * the name came or went, once.
   */
  readonly onEvent: (folder: string, name: string | undefined, isRename: boolean) => void;
  /** Called when the kernel refuses a watch, or ends one. */
  readonly onRefused: (error: unknown) => void;
};

type Watched = {
  /** Of the folder that is watched, whatever its path leads to by now. */
  readonly identity: string;
  /** Undefined when the kernel refused it. */
  watcher: FSWatcher | undefined;
  /** Something happened to the folder itself, so its watch may have ended without a sign. */
  isDoubtful: boolean;
  /** Number of the last scan that listed the folder. */
  scan: number;
};

/** A folder of the tree, watched or on the way to one that is. */
type Branch = { watched: Watched | undefined; readonly below: Map<string, Branch> };

/**
 * One watch of the kernel (inotify) for each folder of a directory. The scanner, which lists every folder anyway, watches
 * a folder just before it lists it, so that nothing that comes later is missed; it says when a folder is gone, too.
 *
 * A watch belongs to the folder, not to its path: when the folder is renamed, events go on arriving under its old name
 * until that name is looked at. Each look therefore compares the identity of what it finds with that of what is watched.
 */
export class FolderWatches {
  /** Number of events so far, of all directories of this process: they come through one queue of the kernel. */
  static events = 0;
  #root: Branch = { watched: undefined, below: new Map() };
  #listener: WatchListener | undefined;
  #scan = 0;
  /** Number of folders that the kernel refuses to watch. */
  refused = 0;

  /** From now on the folders that are scanned are watched. */
  open(listener: WatchListener): void {
    this.#listener = listener;
  }

  close(): void {
    this.#listener = undefined;
    this.forget('');
  }

  /** Watches a folder that is about to be listed. One that was refused before is tried again. */
  watch(folder: string, handle: Folder): void {
    if (this.#listener === undefined) return;
    let identity: string;
    try {
      identity = identityOf(fstatSync(handle.fd, { bigint: true }));
    } catch {
      // The listing that follows fails, too, and says so.
      return;
    }
    const branch = this.#branchAt(folder);
    const known = branch.watched;
    if (known?.identity === identity && known.watcher !== undefined && !known.isDoubtful) {
      known.scan = this.#scan;
      return;
    }
    const watched = { identity, watcher: undefined, isDoubtful: false, scan: this.#scan };
    this.#start(watched, folder, handle, this.#listener);
    branch.watched = watched;
    // Not before: of the same folder, the kernel keeps the watch.
    if (known !== undefined) this.#end(known);
  }

  /** True when a watched folder is the one that was found at its path, or the kernel refused to watch that one. */
  covers(folder: string, found: ObjectStat): boolean {
    if (this.#listener === undefined) return true;
    return this.#find(folder)?.watched?.identity === identityOf(found);
  }

  /** True when what happens in the folder is reported, as far as is known. */
  reports(folder: string): boolean {
    const watched = this.#find(folder)?.watched;
    return watched?.watcher !== undefined && !watched.isDoubtful;
  }

  has(folder: string): boolean {
    return this.#find(folder)?.watched !== undefined;
  }

  /** Ends the watches of a folder that is not at its path any more, and of those below it. */
  forget(folder: string): void {
    const branch = this.#find(folder);
    if (branch === undefined) return;
    this.#endAll(branch);
    if (folder !== '') this.#find(parentOf(folder))?.below.delete(baseOf(folder));
  }

  /** A scan of everything begins. */
  scanBegins(): void {
    this.#scan += 1;
  }

  /** A scan of everything is complete: folders that it did not list are gone. */
  scanEnds(): void {
    this.#endUnlisted(this.#root);
  }

  #start(watched: Watched, folder: string, handle: Folder, { onEvent, onRefused }: WatchListener): void {
    const refuse = (error: unknown): void => {
      watched.watcher?.close();
      watched.watcher = undefined;
      this.refused += 1;
      onRefused(error);
    };
    try {
      // Through its handle, so that a link in place of the folder is not followed, and any name will do.
      const watcher = watch(
        `/proc/self/fd/${handle.fd}/${ITSELF}`,
        { encoding: 'buffer' },
        (event, bytes) => {
          FolderWatches.events += 1;
          const name = bytes === null ? undefined : decodeName(bytes);
          if (name !== ITSELF) return onEvent(folder, name, event === 'rename');
          watched.isDoubtful = true;
          if (folder === '') onEvent('', undefined, false);
          else onEvent(parentOf(folder), baseOf(folder), false);
        },
      );
      watched.watcher = watcher;
      watcher.on('error', refuse);
    } catch (error) {
      refuse(error);
    }
  }

  #end(watched: Watched): void {
    if (watched.watcher === undefined) this.refused -= 1;
    else watched.watcher.close();
  }

  #endAll(branch: Branch): void {
    if (branch.watched !== undefined) this.#end(branch.watched);
    branch.watched = undefined;
    for (const below of branch.below.values()) this.#endAll(below);
    branch.below.clear();
  }

  #endUnlisted(branch: Branch): void {
    const { watched, below } = branch;
    if (watched !== undefined && watched.scan !== this.#scan) {
      this.#end(watched);
      branch.watched = undefined;
    }
    for (const [name, each] of below) {
      this.#endUnlisted(each);
      if (each.watched === undefined && each.below.size === 0) below.delete(name);
    }
  }

  #find(folder: string): Branch | undefined {
    let branch: Branch | undefined = this.#root;
    if (folder === '') return branch;
    for (const name of folder.split('/')) branch = branch?.below.get(name);
    return branch;
  }

  #branchAt(folder: string): Branch {
    let branch = this.#root;
    if (folder === '') return branch;
    for (const name of folder.split('/')) {
      const next: Branch = branch.below.get(name) ?? { watched: undefined, below: new Map() };
      branch.below.set(name, next);
      branch = next;
    }
    return branch;
  }
}

/** With the time at which it was made, since file systems give the number of a removed folder to the next one. */
function identityOf({ dev, ino, birthtimeNs }: ObjectStat): string {
  return `${dev}:${ino}:${birthtimeNs}`;
}
