import type { Entry } from '../manifest/entry.ts';

/**
 * The decision about one path. `expect` is the entry that must be on disk just before; otherwise a new plan is made.
 * The kinds are part of the JSON of `why` and of the protocol, so they are extended and never renamed.
 */
export type Decision =
  /** Both sides are in sync. */
  | { readonly kind: 'nothing' }
  /** A local file: exists only on this MDS and stays. */
  | { readonly kind: 'local' }
  /** Both sides hold the same entry; it is added to the ledger. */
  | { readonly kind: 'agree'; readonly entry: Entry }
  /** The ledger drops the path: neither side has it any more, or it stays as a local file. */
  | { readonly kind: 'forget' }
  /**
   * Main's version goes to the MDS. When a file replaces a folder, the folder goes to the trash as a whole, and the ledger
   * drops its content in the same transaction, so that none of it counts as removed by a person. (`upload` likewise.)
   */
  | {
      readonly kind: 'deliver';
      readonly entry: Entry;
      readonly expect: Entry | undefined;
      /** The MDS has a special object there (a fifo, a link that leads outside): it goes to the trash. */
      readonly replacesSpecial: boolean;
      readonly content: boolean;
      readonly drift: boolean;
      readonly reason: string;
    }
  /** The MDS's version goes to its trash. */
  | { readonly kind: 'remove'; readonly expect: Entry; readonly reason: string }
  /** The MDS's version goes to Main. */
  | {
      readonly kind: 'upload';
      readonly entry: Entry;
      readonly expect: Entry | undefined;
      readonly content: boolean;
      readonly reason: string;
      /** True when Main's version loses a conflict: Main keeps it in its trash and counts the conflict. */
      readonly conflict: boolean;
    }
  /** Main's version goes to Main's trash, with a tombstone. */
  | { readonly kind: 'remove-on-main'; readonly expect: Entry; readonly reason: string }
  /** A conflict that Main's newer version wins: the MDS's version goes to Main's trash, then Main's is delivered. */
  | { readonly kind: 'lose'; readonly loser: Entry; readonly winner: Entry; readonly reason: string }
  /** Nothing can be done with this path now. */
  | { readonly kind: 'skip'; readonly reason: string; readonly failed: boolean };
