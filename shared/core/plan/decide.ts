import { type Entry, sameContent, sameEntry, sameVersion } from '../manifest/entry.ts';
import { entryOf, type Sight } from '../manifest/pathState.ts';
import type { Decision } from './decision.ts';
import { mdsIsNewer } from './conflict.ts';
import type { Policy } from './policy.ts';

/** Why Main's wins over what an MDS itself had made of a path: the reasons under which that lies in the MDS's trash. */
const OWN_VERSION = {
  drift: 'changed on the MDS (drift)',
  bothChanged: "changed on Main and on the MDS; Main's wins",
  otherContent: "another content under Main's name; Main's wins",
  otherKind: "of another kind on the MDS; Main's wins",
  special: "Main's wins its name; what the MDS had there goes to the trash",
} as const;

/** Whether what was displaced for a reason was an edit of what had been delivered (`drift`), or the MDS's own (`replaced`). */
export function ownVersionOf(reason: string): 'drift' | 'replaced' | undefined {
  if (reason === OWN_VERSION.drift || reason === OWN_VERSION.bothChanged) return 'drift';
  return Object.values(OWN_VERSION).some((each) => each === reason) ? 'replaced' : undefined;
}

/** Everything that is known about one path. */
export type PathFacts = {
  readonly main: Sight;
  readonly mds: Sight;
  /** What Main and this MDS last agreed on (the agent's ledger). */
  readonly base: Entry | undefined;
  /** The pattern by which its name is left alone on both sides, if one does. */
  readonly excludedBy?: string | undefined;
  /** What Main last held there, when Main saw it removed. */
  readonly tombstone: Entry | undefined;
  /** The MDS's clock minus Main's, nanoseconds. */
  readonly clockOffset: bigint;
  /** The clock that gave Main's file its time, minus Main's, nanoseconds; 0 for Main's own. */
  readonly mainClock: bigint;
};

/** The table "What happens to a file", one path at a time. Overrides never come here. */
export function decide(policy: Policy, facts: PathFacts): Decision {
  if (facts.excludedBy !== undefined) return decideExcluded(policy, facts, facts.excludedBy);
  return (
    unusable(facts) ??
    (policy.direction === 'both' ? decideBothWays(policy, facts) : decideOneWay(policy, facts))
  );
}

/**
 * Main's file of an excluded name counts as absent, whatever it is; the MDS's is local, unless it was delivered before
 * its name was excluded: then it goes like a removed one, also where a removal on Main needs a tombstone.
 */
function decideExcluded(policy: Policy, { mds: sight, base }: PathFacts, pattern: string): Decision {
  if (base === undefined) return sight === undefined ? { kind: 'nothing' } : { kind: 'local' };
  if (sight === undefined || sight.kind === 'special') return { kind: 'forget' };
  if (sight.kind === 'unreadable') return skip(`the MDS can't read it (${sight.errno})`, true);
  if (sight.kind === 'moving') return skip('it is still being written on the MDS');
  // Nothing is ever removed there: it stays, and the ledger keeps knowing where it came from.
  if (policy.deletions === 'never') return { kind: 'nothing' };
  return {
    kind: 'remove',
    expect: sight.entry,
    reason: `its name is excluded (${pattern}), delivered earlier`,
  };
}

/** A side that can't be judged right now: nothing is concluded from it. */
function unusable({ main, mds }: PathFacts): Decision | undefined {
  if (main?.kind === 'unreadable') return skip(`Main can't read it (${main.errno})`, true);
  if (mds?.kind === 'unreadable') return skip(`the MDS can't read it (${mds.errno})`, true);
  if (main?.kind === 'special') return skip(`on Main it is ${main.what}, which never travels`);
  if (main?.kind === 'moving') return skip('it is still being written on Main');
  if (mds?.kind === 'moving') return skip('it is still being written on the MDS');
  return undefined;
}

function decideOneWay(policy: Policy, facts: PathFacts): Decision {
  const main = entryOf(facts.main);
  const mds = entryOf(facts.mds);
  if (main !== undefined) return deliverUnlessEqual(facts, main, mds);
  if (facts.mds?.kind === 'special')
    return facts.base ? { kind: 'forget' } : skip(`it is ${facts.mds.what} on the MDS`);
  if (mds === undefined) return facts.base ? { kind: 'forget' } : { kind: 'nothing' };
  if (facts.base === undefined) return { kind: 'local' };
  if (policy.deletions === 'never') return { kind: 'nothing' };
  return { kind: 'remove', expect: mds, reason: 'removed on Main, delivered earlier' };
}

/** Main has an entry and wins its name. */
function deliverUnlessEqual(facts: PathFacts, main: Entry, mds: Entry | undefined): Decision {
  const { base } = facts;
  const special = facts.mds?.kind === 'special';
  if (mds && sameEntry(main, mds)) {
    return base && sameEntry(base, main) ? { kind: 'nothing' } : { kind: 'agree', entry: main };
  }
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
  if (!mds) return base ? 'removed on the MDS (drift)' : 'new on Main';
  if (mds.type !== main.type) return OWN_VERSION.otherKind;
  if (!base) return sameContent(main, mds) ? "Main's metadata wins" : OWN_VERSION.otherContent;
  if (sameEntry(base, main)) return OWN_VERSION.drift;
  if (sameContent(main, mds)) return 'metadata changed on Main';
  return sameContent(base, mds) ? 'changed on Main' : OWN_VERSION.bothChanged;
}

function decideBothWays(policy: Policy, facts: PathFacts): Decision {
  const main = entryOf(facts.main);
  const mds = entryOf(facts.mds);
  if (facts.mds?.kind === 'special') {
    return main ? deliverUnlessEqual(facts, main, undefined) : skip(`it is ${facts.mds.what} on the MDS`);
  }
  if (main && mds) return bothPresent(facts, main, mds);
  if (main) return absentOnMds(policy, facts, main);
  if (mds) return absentOnMain(policy, facts, mds);
  return facts.base ? { kind: 'forget' } : { kind: 'nothing' };
}

function bothPresent(facts: PathFacts, main: Entry, mds: Entry): Decision {
  const { base } = facts;
  if (sameEntry(main, mds)) return deliverUnlessEqual(facts, main, mds);
  const upload = (reason: string, conflict: boolean): Decision => ({
    kind: 'upload',
    entry: mds,
    expect: main,
    content: !sameContent(main, mds),
    conflict,
    reason,
  });
  // Only one side changed since they agreed: that change travels.
  if (base && sameEntry(base, main)) return upload('changed on the MDS', false);
  if (base && sameEntry(base, mds)) return deliverUnlessEqual(facts, main, mds);
  if (sameContent(main, mds)) return deliverUnlessEqual(facts, main, mds);
  if (base && sameContent(base, main)) return upload('changed on the MDS', false);
  if (base && sameContent(base, mds)) return deliverUnlessEqual(facts, main, mds);
  if (main.type !== 'file' || mds.type !== 'file') return deliverUnlessEqual(facts, main, mds);
  if (mdsIsNewer(main, mds, facts)) return upload("changed on both sides; the MDS's is the newer", true);
  return { kind: 'lose', loser: mds, winner: main, reason: "changed on both sides; Main's is the newer" };
}

function absentOnMds(policy: Policy, facts: PathFacts, main: Entry): Decision {
  const { base } = facts;
  const removedHere = base !== undefined && sameContent(base, main);
  if (policy.deletions === 'both' && removedHere) {
    return { kind: 'remove-on-main', expect: main, reason: 'removed on the MDS' };
  }
  return deliverUnlessEqual(facts, main, undefined);
}

function absentOnMain(policy: Policy, facts: PathFacts, mds: Entry): Decision {
  const { base, tombstone } = facts;
  // Only a removal that Main saw happen counts: a Main that lost its memory must not empty its MDS. What Main
  // removed may be newer than what the ledger knows, when Main's answer to an upload was lost.
  const unchanged = [base, tombstone].some((known) => known !== undefined && sameVersion(known, mds));
  if (tombstone && unchanged && policy.deletions !== 'never') {
    return { kind: 'remove', expect: mds, reason: 'removed on Main' };
  }
  const reason = tombstone ? 'removed on Main, but changed on the MDS since' : 'new on the MDS';
  return { kind: 'upload', entry: mds, expect: undefined, content: true, conflict: false, reason };
}

function skip(reason: string, failed = false): Decision {
  return { kind: 'skip', reason, failed };
}
