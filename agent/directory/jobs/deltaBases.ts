import { closeSync } from 'node:fs';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import { MAX_BLOCKS } from '#protocol/limits.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import type { BlockLists } from '#sync/transfer/blockLists.ts';
import { blockLength, type Blocks, hashBlocks } from '#sync/transfer/blocks.ts';

/** Present versions of large files that are to be replaced: their unchanged blocks need not be sent. */
export class DeltaBases implements Disposable {
  readonly #open: OpenFolders;
  readonly #bases = new Map<string, { readonly fd: number; readonly blocks: Blocks }>();

  readonly #lists: BlockLists;

  constructor(root: string, lists: BlockLists) {
    this.#open = new OpenFolders(root);
    this.#lists = lists;
  }

  get(path: string): { readonly fd: number; readonly blocks: Blocks } | undefined {
    return this.#bases.get(path);
  }

  /**
   * Hashes the present version. An unreadable file is no base: then everything is sent.
   * @param here the present entry
   * @param newSize size of the new version, bytes
   */
  async add(path: string, here: FileEntry, newSize: number): Promise<void> {
    let fd: number | undefined;
    try {
      fd = this.#open.get(parentOf(path)).openFile(baseOf(path));
      this.#bases.set(path, {
        fd,
        blocks: this.#known(here.hash, newSize) ?? (await read(fd, here, newSize)),
      });
    } catch {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /** Block hashes known from its arrival; the other side compares as many blocks as the new file has. */
  #known(hash: string, newSize: number): Blocks | undefined {
    const known = this.#lists.take(hash);
    if (known?.block !== blockLength(newSize)) return undefined;
    return { block: known.block, hashes: known.hashes.slice(0, MAX_BLOCKS) };
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#bases.values()) closeSync(fd);
    this.#open[Symbol.dispose]();
  }
}

async function read(fd: number, { size }: FileEntry, newSize: number): Promise<Blocks> {
  const block = blockLength(newSize);
  return { block, hashes: await hashBlocks(fd, Math.min(size, newSize), block) };
}
