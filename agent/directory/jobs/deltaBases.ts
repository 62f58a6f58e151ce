import { closeSync } from 'node:fs';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import { blockLength, type Blocks, hashBlocks } from '#sync/transfer/blocks.ts';

/** What is here in the place of large files that arrive: what did not change in them need not be sent. */
export class DeltaBases implements Disposable {
  readonly #open: OpenFolders;
  readonly #bases = new Map<string, { readonly fd: number; readonly blocks: Blocks }>();

  constructor(root: string) {
    this.#open = new OpenFolders(root);
  }

  get(path: string): { readonly fd: number; readonly blocks: Blocks } | undefined {
    return this.#bases.get(path);
  }

  /**
   * Looks at what is here. A file that can't be read is no base: then all is sent.
   * @param size bytes of it
   * @param newSize bytes of what takes its place
   */
  async add(path: string, size: number, newSize: number): Promise<void> {
    const block = blockLength(newSize);
    let fd: number | undefined;
    try {
      fd = this.#open.get(parentOf(path)).openFile(baseOf(path));
      const hashes = await hashBlocks(fd, Math.min(size, newSize), block);
      this.#bases.set(path, { fd, blocks: { block, hashes } });
    } catch {
      if (fd !== undefined) closeSync(fd);
    }
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#bases.values()) closeSync(fd);
    this.#open[Symbol.dispose]();
  }
}
