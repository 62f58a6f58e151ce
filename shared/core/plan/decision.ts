import type { Entry, FolderEntry } from '../manifest/entry.ts';

/** Why a path travels that its destination never had. */
const NEW_ON_MAIN = 'new on Main';
const NEW_ON_MDS = 'new on the MDS';

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

/** Main's entry goes to an MDS that has nothing there and never had. */
export function deliverNew(entry: Entry): Decision & { readonly kind: 'deliver' } {
  return {
    kind: 'deliver',
    entry,
    expect: undefined,
    replacesSpecial: false,
    content: true,
    drift: false,
    reason: NEW_ON_MAIN,
  };
}

/** The MDS's entry goes to Main, which has nothing there and never had. */
export function uploadNew(entry: Entry): Decision & { readonly kind: 'upload' } {
  return { kind: 'upload', entry, expect: undefined, content: true, conflict: false, reason: NEW_ON_MDS };
}

/** True for what {@link deliverNew} or {@link uploadNew} returns. */
export function isNew(decision: Decision): decision is ReturnType<typeof deliverNew | typeof uploadNew> {
  return (
    (decision.kind === 'deliver' && decision.reason === NEW_ON_MAIN) ||
    (decision.kind === 'upload' && decision.reason === NEW_ON_MDS)
  );
}

/** A version that goes to the trash of one side, since the other has removed it. */
export type Removal = Extract<Decision, { kind: 'remove' | 'remove-on-main' }>;

export function isRemoval(decision: Decision): decision is Removal {
  return decision.kind === 'remove' || decision.kind === 'remove-on-main';
}

/** True for the removal of a folder, which depends on what is in it. */
export function isFolderRemoval(decision: Decision): decision is Removal & { readonly expect: FolderEntry } {
  return isRemoval(decision) && decision.expect.type === 'folder';
}
