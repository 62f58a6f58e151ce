import { closeSync } from 'node:fs';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import { MAX_BLOCKS } from '#protocol/limits.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import type { BlockLists } from '#sync/transfer/blockLists.ts';
import { blockLength, type Blocks, hashBlocks } from '#sync/transfer/blocks.ts';

/** What is here in the place of large files that arrive: what did not change in them need not be sent. */
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
   * Looks at what is here. A file that can't be read is no base: then all is sent.
   * @param here it, as it was read
   * @param newSize bytes of what takes its place
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

  /** What was found out when it came; the other side compares as many blocks as the new file has. */
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
