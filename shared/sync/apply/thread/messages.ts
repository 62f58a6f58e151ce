import type { FileEntry } from '#core/manifest/entry.ts';
import type { StagingResult } from '#core/changeSet.ts';

/** Bytes of a block: the contents of some dozens of small files. */
export const BLOCK_BYTES = 512 * 1024;
/** Blocks that may be filled or worked off at a time. */
export const BLOCKS = 6;

/** What the thread is started with. */
export type ThreadStart = {
  readonly blocks: readonly SharedArrayBuffer[];
  /** A byte for each block, which is 1 when what is left of its files is not wanted any more. */
  readonly givenUp: SharedArrayBuffer;
};

/** A file whose whole content is in a block. */
export type WholeFile = {
  /** Its name in the staging area. */
  readonly name: string;
  /** Where its content starts in the block, bytes. */
  readonly at: number;
  /** What it has to be, with this host's owner and group. */
  readonly entry: FileEntry;
};

/** Files to be staged. */
export type StageRequest = {
  /** The open staging folder. */
  readonly stage: number;
  /** Number of the block that holds the contents. */
  readonly block: number;
  readonly files: readonly WholeFile[];
};

/** What became of each file of a request. Requests are answered in their order. */
export type StageAnswer = readonly StagingResult[];

/** A piece of a larger file, to be written at the end of it and hashed. */
export type WriteRequest = {
  /** The open file, which identifies it. */
  readonly fd: number;
  /** Number of the block that holds the piece. */
  readonly block: number;
  /** Bytes of the piece. */
  readonly length: number;
};

/** A part of an open file, to be read and hashed after the parts before it. */
export type HashRequest = {
  /** The open file, which identifies it. */
  readonly hashed: number;
  /** Offset of the part, bytes. */
  readonly at: number;
  /** Bytes of the part. */
  readonly length: number;
};

/** Why a piece could not be written, or a part not be read; undefined when it was. */
export type PieceAnswer = string | undefined;

/** The end of a larger file that was written or read in parts. It is answered by its SHA-256. */
export type EndRequest = { readonly ended: number };

export type Request = StageRequest | WriteRequest | HashRequest | EndRequest;
