import { type Entry, sameContent, sameEntry, sameVersion } from '../manifest/entry.ts';
import { entryOf, type PathState } from '../manifest/pathState.ts';
import { type Decision, deliverNew, uploadNew } from './decision.ts';
import { mdsIsNewer } from './conflict.ts';
import type { Policy } from './policy.ts';

/** Reasons under which a version that the MDS itself made lies in its trash because Main's version won. */
const OWN_VERSION = {
  drift: 'changed on the MDS (drift)',
  bothChanged: "changed on Main and on the MDS; Main's wins",
  otherContent: "another content under Main's name; Main's wins",
  otherKind: "of another kind on the MDS; Main's wins",
  special: "Main's wins its name; what the MDS had there goes to the trash",
} as const;

/** Whether the reason stands for an edit of a delivered file (`drift`) or for the MDS's own content (`replaced`). */
export function ownVersionOf(reason: string): 'drift' | 'replaced' | undefined {
  if (reason === OWN_VERSION.drift || reason === OWN_VERSION.bothChanged) return 'drift';
  return Object.values(OWN_VERSION).some((each) => each === reason) ? 'replaced' : undefined;
}

/** Everything that both sides know about one path. */
export type PathFacts = {
  readonly main: PathState | undefined;
  readonly mds: PathState | undefined;
  /** What Main and this MDS last agreed on (the agent's ledger). */
  readonly base: Entry | undefined;
  /** The pattern that excludes its name on both sides, if one does. */
  readonly excludedBy?: string | undefined;
  /** Main's last entry at the path, if Main saw its removal. */
  readonly tombstone: Entry | undefined;
  /** The MDS's clock minus Main's clock, nanoseconds. */
  readonly clockOffset: bigint;
  /** The clock that gave Main's file its mtime, minus Main's clock, nanoseconds; 0 for Main's own. */
  readonly mainClock: bigint;
};

/**
 * Decides one path: the table "What happens to a file" of docs/behaviour.md. Overrides are filtered out before, and
 * folders are reconsidered together with their content in folders.ts.
 */
export function decide(policy: Policy, facts: PathFacts): Decision {
  if (facts.excludedBy !== undefined) return decideExcluded(policy, facts, facts.excludedBy);
  return (
    unusable(facts) ??
    (policy.direction === 'both' ? decideBothWays(policy, facts) : decideOneWay(policy, facts))
  );
}

/**
 * The name is excluded. Main's file counts as absent, whatever it is. The MDS's file is local, unless it was delivered
 * before the pattern was added: then it is removed like a file removed on Main, without the need for a tombstone.
 */
function decideExcluded(policy: Policy, { mds, base }: PathFacts, pattern: string): Decision {
  // Never delivered. Nothing is done: an MDS keeps its local files.
  if (base === undefined) return mds === undefined ? { kind: 'nothing' } : { kind: 'local' };
  // Delivered once, and gone from the MDS, or replaced there by a special object, which can't be synchronised: only the
  // ledger still has it.
  if (mds === undefined || mds.kind === 'special') return { kind: 'forget' };
  // Delivered once, but its current content is unknown, so it must not be removed yet.
  if (mds.kind === 'unreadable') return skip(`the MDS can't read it (${mds.errno})`, true);
  if (mds.kind === 'moving') return skip('it is still being written on the MDS');
  // Delivered once. Nothing is done, since this directory allows no removals. The ledger keeps the path, so that the
  // file still counts as delivered once the pattern is gone.
  if (policy.deletions === 'never') return { kind: 'nothing' };
  // Delivered once and excluded since: Main no longer has it, as far as synchronisation is concerned.
  return {
    kind: 'remove',
    expect: mds.entry,
    reason: `its name is excluded (${pattern}), delivered earlier`,
  };
}

/** The state of one side is not known right now: nothing is concluded from it, and nothing is done. */
function unusable({ main, mds }: PathFacts): Decision | undefined {
  // The path exists, its content is unknown. A person has to be notified, so these count as failed.
  if (main?.kind === 'unreadable') return skip(`Main can't read it (${main.errno})`, true);
  if (mds?.kind === 'unreadable') return skip(`the MDS can't read it (${mds.errno})`, true);
  // Main has a device, socket, fifo or outward link. It occupies its name, so the MDS's object stays as it is.
  if (main?.kind === 'special') return skip(`on Main it is ${main.what}, which can't be synchronised`);
  // Being written: the plan made when it has settled decides.
  if (main?.kind === 'moving') return skip('it is still being written on Main');
  if (mds?.kind === 'moving') return skip('it is still being written on the MDS');
  return undefined;
}

/** A directory that only Main changes. Both sides are settled or absent; the MDS may also have a special object. */
function decideOneWay(policy: Policy, facts: PathFacts): Decision {
  const main = entryOf(facts.main);
  const mds = entryOf(facts.mds);
  if (main !== undefined) return deliverUnlessEqual(facts, main, mds);
  // From here on, Main has nothing at the path.
  // The MDS has a special object, which was not delivered: nothing is done to it, and a ledger entry is obsolete.
  if (facts.mds?.kind === 'special')
    return facts.base ? { kind: 'forget' } : skip(`it is ${facts.mds.what} on the MDS`);
  // Neither side has it: nothing is left to do but to drop it from the ledger.
  if (mds === undefined) return facts.base ? { kind: 'forget' } : { kind: 'nothing' };
  // Never delivered: a local file, which stays.
  if (facts.base === undefined) return { kind: 'local' };
  // Delivered, and removed on Main since. Nothing is done, since this directory allows no removals.
  if (policy.deletions === 'never') return { kind: 'nothing' };
  return { kind: 'remove', expect: mds, reason: 'removed on Main, delivered earlier' };
}

/** Main has an entry, and Main's version wins. @param mds the MDS's entry; undefined when absent or special */
function deliverUnlessEqual(facts: PathFacts, main: Entry, mds: Entry | undefined): Decision {
  const { base } = facts;
  const special = facts.mds?.kind === 'special';
  // Both sides hold the same entry. Nothing is done, except that the ledger learns it.
  if (mds && sameEntry(main, mds)) {
    return base && sameEntry(base, main) ? { kind: 'nothing' } : { kind: 'agree', entry: main };
  }
  if (!mds && !base && !special) return deliverNew(main);
  // Main's version is what was delivered last, so the difference was made on the MDS.
  const drift = base !== undefined && sameEntry(base, main);
  return {
    kind: 'deliver',
    entry: main,
    expect: mds,
    replacesSpecial: special,
    content: !(mds && sameContent(main, mds)),
    drift,
    reason: deliveryReason(main, mds, base, special),
  };
}

function deliveryReason(
  main: Entry,
  mds: Entry | undefined,
  base: Entry | undefined,
  special: boolean,
): string {
  if (special) return OWN_VERSION.special;
  if (!mds) return 'removed on the MDS (drift)';
  if (mds.type !== main.type) return OWN_VERSION.otherKind;
  if (base && sameEntry(base, main)) return OWN_VERSION.drift;
  // Either Main changed metadata only, or both sides have taken the same new content.
  if (sameContent(main, mds))
    return base && sameContent(base, main) ? 'metadata changed on Main' : "Main's metadata wins";
  if (!base) return OWN_VERSION.otherContent;
  return sameContent(base, mds) ? 'changed on Main' : OWN_VERSION.bothChanged;
}

/** A directory that both sides change. Both are settled or absent; the MDS may also have a special object. */
function decideBothWays(policy: Policy, facts: PathFacts): Decision {
  const main = entryOf(facts.main);
  const mds = entryOf(facts.mds);
  // A special object never travels. Where Main has an entry it is replaced; else nothing is done to it.
  if (facts.mds?.kind === 'special') {
    return main ? deliverUnlessEqual(facts, main, undefined) : skip(`it is ${facts.mds.what} on the MDS`);
  }
  if (main && mds) return bothPresent(facts, main, mds);
  if (main) return absentOnMds(policy, facts, main);
  if (mds) return absentOnMain(policy, facts, mds);
  // Neither side has it: nothing is left to do but to drop it from the ledger.
  return facts.base ? { kind: 'forget' } : { kind: 'nothing' };
}

function bothPresent(facts: PathFacts, main: Entry, mds: Entry): Decision {
  const { base } = facts;
  // Equal: deliverUnlessEqual only updates the ledger.
  if (sameEntry(main, mds)) return deliverUnlessEqual(facts, main, mds);
  const upload = (reason: string, conflict: boolean): Decision => ({
    kind: 'upload',
    entry: mds,
    expect: main,
    content: !sameContent(main, mds),
    conflict,
    reason,
  });
  // Only one side changed, in content or metadata, since they agreed: that change travels.
  if (base && sameEntry(base, main)) return upload('changed on the MDS', false);
  if (base && sameEntry(base, mds)) return deliverUnlessEqual(facts, main, mds);
  // Both changed, but the content is equal: only metadata differs, and Main's wins.
  if (sameContent(main, mds)) return deliverUnlessEqual(facts, main, mds);
  // Both changed, one of them only in metadata: the side with the new content wins.
  if (base && sameContent(base, main)) return upload('changed on the MDS', false);
  if (base && sameContent(base, mds)) return deliverUnlessEqual(facts, main, mds);
  // Both have new content, but a folder or link has no mtime to compare: Main's wins.
  if (main.type !== 'file' || mds.type !== 'file') return deliverUnlessEqual(facts, main, mds);
  // A conflict of two files: the newer one wins, the other goes to Main's trash.
  if (mdsIsNewer(main, mds, facts)) return upload("changed on both sides; the MDS's is the newer", true);
  return { kind: 'lose', loser: mds, winner: main, reason: "changed on both sides; Main's is the newer" };
}

/** Only Main has an entry of a two-way directory. */
function absentOnMds(policy: Policy, facts: PathFacts, main: Entry): Decision {
  const { base } = facts;
  // The MDS had exactly this content, so it was removed there. Content that Main changed since, or that the MDS never
  // had, is delivered.
  const removedHere = base !== undefined && sameContent(base, main);
  if (policy.deletions === 'both' && removedHere) {
    return { kind: 'remove-on-main', expect: main, reason: 'removed on the MDS' };
  }
  return deliverUnlessEqual(facts, main, undefined);
}

/** Only the MDS has an entry of a two-way directory. */
function absentOnMain(policy: Policy, facts: PathFacts, mds: Entry): Decision {
  const { base, tombstone } = facts;
  // Only a tombstone proves a removal: a Main that lost its state must not empty its MDS. The tombstone may hold a newer
  // version than the ledger, if Main's answer to an upload was lost.
  const unchanged = [base, tombstone].some((known) => known !== undefined && sameVersion(known, mds));
  // Removed on Main, and unchanged on the MDS since.
  if (tombstone && unchanged && policy.deletions !== 'never') {
    return { kind: 'remove', expect: mds, reason: 'removed on Main' };
  }
  // New on the MDS, changed there after the removal, or Main has no proof of a removal: no file may be lost, so it goes
  // to Main.
  if (!tombstone) return uploadNew(mds);
  const reason = 'removed on Main, but changed on the MDS since';
  return { kind: 'upload', entry: mds, expect: undefined, content: true, conflict: false, reason };
}

function skip(reason: string, failed = false): Decision {
  return { kind: 'skip', reason, failed };
}
