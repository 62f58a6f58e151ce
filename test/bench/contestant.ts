import type { Root } from './processCost.ts';

/** Two folders and a program between them that is about to make the second equal to the first. */
export type Pair = {
  /** Where changes are made. */
  readonly source: string;
  /** Where they have to appear. */
  readonly target: string;
  /** A folder of the same file system beside the source, from which files are renamed into it. */
  readonly outbox: string;
  /** The processes that do the work, as far as they run now, each with all that it starts. */
  readonly roots: () => readonly Root[];
  /** Starts the first pass: returns when a command ended, or when a daemon was started. */
  readonly start: () => Promise<void>;
  /** Whether both sides talk to each other, for programs that tell. */
  readonly isConnected?: () => boolean;
  /** Waits until the program itself says that it is done, where `again` needs that. */
  readonly settled?: () => Promise<void>;
  /** A pass by command, when the first is done. */
  readonly again?: () => Promise<void>;
  /** Bytes that have travelled between both sides so far, for programs of which they can be counted; NaN where they can't. */
  readonly wireBytes?: () => number;
  readonly end: () => Promise<void>;
};

export type Layout = {
  /** An empty folder for whatever the pair needs. */
  readonly folder: string;
  /** The files to begin with: they are copied into the source. */
  readonly content: string;
  readonly files: number;
  /** Whether the target has all of it already. */
  readonly isFilled: boolean;
  /** The source is an MDS's recordings and the target Main's, for a program to which that makes a difference. */
  readonly toMain: boolean;
  /** Words to put before the command of what the pass starts, by its role: a program that counts what it does. */
  readonly under?: (role: string) => readonly string[];
};

export type Contestant = {
  readonly name: string;
  /** The programs it needs, each with Debian's package. */
  readonly needs: Readonly<Record<string, string>>;
  readonly version: () => string;
  /** A limit does less than what it is compared with: it shows what is left to win. */
  readonly kind: 'competitor' | 'limit';
  /** Whether its first pass is a result, or only what its live changes need. */
  readonly comparesPasses: boolean;
  /** Live changes that it is given, none for a program that does not watch. */
  readonly liveChanges: number;
  /** Whether it has a command that makes a pass. */
  readonly hasCommand: boolean;
  /** The roles of each side's processes, for a program that puts {@link Layout.under} before what it starts. */
  readonly counted?: { readonly sender: string; readonly receiver?: string };
  readonly lay: (layout: Layout) => Promise<Pair>;
};
