import { closeSync } from 'node:fs';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import { blockLength, type Blocks, hashBlocks } from '#sync/transfer/blocks.ts';
import { chunkLengths } from '#sync/transfer/chunker.ts';
import { type ChunkList, ChunkLister, listChunks } from '#sync/transfer/chunkList.ts';
import type { ChunkLists } from '#sync/transfer/chunkLists.ts';
import type { Base } from '#sync/transfer/deltaSink.ts';
import { type Run, runsOfParts, runsOfSpans } from '#sync/transfer/parts.ts';
import type { Sent } from '#sync/transfer/unpack.ts';

/** A version's chunks, and where those of the new one are listed. */
type Listed = { readonly list: ChunkList; readonly lister: ChunkLister | undefined };
/** What a version consists of; only its hash when Main may know the rest. */
type Content = { readonly blocks: Blocks } | Listed | { readonly hash: string };
type Known = Content & { readonly fd: number };
type Request = {
  readonly base?: { block: number; hashes: string[] };
  readonly chunks?: string;
  readonly replaces?: string;
};

/** What may be said to Main of the version that is here. */
export type BaseRules = {
  /** Main accepts chunks; one of an older version compares blocks at fixed offsets. */
  readonly isByChunks: boolean;
  /** Main may know it by its hash, so that it need not be read. */
  readonly isByHash: boolean;
};

/** Present versions of large files that are to be replaced: what of them the new ones still hold need not be sent. */
export class DeltaBases implements Disposable {
  readonly #open: OpenFolders;
  readonly #lists: ChunkLists;
  readonly #rules: BaseRules;
  readonly #ending: AbortSignal;
  readonly #bases = new Map<string, Known>();

  /** @param ending ends the reading of versions */
  constructor(root: string, lists: ChunkLists, rules: BaseRules, ending: AbortSignal) {
    this.#open = new OpenFolders(root);
    this.#lists = lists;
    this.#rules = rules;
    this.#ending = ending;
  }

  /**
   * Finds out what the present version consists of. An unreadable file is no base: then everything is sent.
   * @param here the present entry
   * @param wanted the new version
   * @param from bytes of the new version that are here already
   * @throws when the directory is being closed
   */
  async add(path: string, here: FileEntry, wanted: FileEntry, from: number): Promise<void> {
    if (this.#lists.isMistrusted(wanted.hash)) return;
    let fd: number | undefined;
    try {
      fd = this.#open.get(parentOf(path)).openFile(baseOf(path));
      const known = await this.#look(fd, here, wanted, from);
      if (known === undefined) closeSync(fd);
      else this.#bases.set(path, { fd, ...known });
    } catch {
      if (fd !== undefined) closeSync(fd);
      this.#ending.throwIfAborted();
    }
  }

  async #look(fd: number, here: FileEntry, { size }: FileEntry, from: number): Promise<Content | undefined> {
    const { isByChunks, isByHash } = this.#rules;
    const lengths = chunkLengths(size);
    const known = this.#lists.take(here.hash);
    const isKnown = known !== undefined && known.usual === lengths?.usual;
    if (isByHash && !isKnown && lengths !== undefined) return { hash: here.hash };
    const list = isByChunks && (isKnown ? known : await listChunks(fd, here.size, this.#ending, size));
    // What came before `from` does not pass by, so that the new version can't be listed.
    const lister = from > 0 ? undefined : ChunkLister.of(size);
    if (list) return { list, lister };
    if (from > 0) return undefined;
    const block = blockLength(size);
    const hashes = await hashBlocks(fd, Math.min(here.size, size), block, this.#ending);
    return { blocks: { block, hashes } };
  }

  /** What is said of the base in the request; nothing when there is none. */
  requestFor(path: string): Request {
    const known = this.#bases.get(path);
    if (known === undefined) return {};
    if ('hash' in known) return { replaces: known.hash };
    if ('list' in known) return { chunks: known.list.digests };
    return { base: { block: known.blocks.block, hashes: [...known.blocks.hashes] } };
  }

  /**
   * How a file is put together of what was sent and its base.
   * @param size bytes that are still to come
   * @returns undefined when that makes no sense for this base
   */
  assemble(path: string, sent: Sent, size: number): { base: Base; runs: readonly Run[] } | undefined {
    const known = this.#bases.get(path);
    if (known === undefined || 'blocks' in known === 'parts' in sent) return undefined;
    const listed = 'list' in known ? known : undefined;
    const base = { fd: known.fd, ...(listed && { chunks: listed }) };
    const runs =
      'parts' in sent ? runsOfParts(sent.parts, listed?.list, size) : runsOfSpans(sent.spans, size);
    return runs && { base, runs };
  }

  /** Keeps the chunks of a new version that is complete and verified. Without them it is read when it changes. */
  async keepList(path: string, hash: string): Promise<void> {
    const known = this.#bases.get(path);
    const list = known && 'list' in known ? await known.lister?.end().catch(() => undefined) : undefined;
    if (list !== undefined) this.#lists.add(hash, list);
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#bases.values()) closeSync(fd);
    this.#open[Symbol.dispose]();
  }
}
