import type { Entry } from '../manifest/entry.ts';

/** What is to happen with one path. `expect` is what must be on disk just before, else a new plan is made. */
export type Decision =
  /** Both sides are as they should be. */
  | { readonly kind: 'nothing' }
  /** On this MDS alone, and staying there. */
  | { readonly kind: 'local' }
  /** Both sides hold the same; only the ledger does not say so yet. */
  | { readonly kind: 'agree'; readonly entry: Entry }
  /** The ledger forgets it: neither side has it any more, or it stays on the MDS alone. */
  | { readonly kind: 'forget' }
  /**
   * Main's goes to the MDS. When a file replaces a folder, the folder goes to the trash as a whole, and the ledger
   * forgets what it held in the same transaction: none of it counts as removed by a person. (So for `upload`.)
   */
  | {
      readonly kind: 'deliver';
      readonly entry: Entry;
      readonly expect: Entry | undefined;
      /** The MDS has something there that is no entry (a fifo, a link that leads outside): it goes to the trash. */
      readonly replacesSpecial: boolean;
      readonly content: boolean;
      readonly drift: boolean;
      readonly reason: string;
    }
  /** The MDS's goes to its trash. */
  | { readonly kind: 'remove'; readonly expect: Entry; readonly reason: string }
  /** The MDS's goes to Main. */
  | {
      readonly kind: 'upload';
      readonly entry: Entry;
      readonly expect: Entry | undefined;
      readonly content: boolean;
      readonly reason: string;
      /** Main's version loses a conflict: Main keeps it in its trash and counts it. */
      readonly conflict: boolean;
    }
  /** Main's goes to Main's trash, with a tombstone. */
  | { readonly kind: 'remove-on-main'; readonly expect: Entry; readonly reason: string }
  /** Both changed and Main's is the newer: the MDS's is kept in Main's trash, then Main's is delivered. */
  | { readonly kind: 'lose'; readonly loser: Entry; readonly winner: Entry; readonly reason: string }
  /** Nothing can be done about this path now. */
  | { readonly kind: 'skip'; readonly reason: string; readonly failed: boolean };
