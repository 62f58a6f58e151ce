import type { WhyFacts } from '#protocol/messages/answers.ts';

type Decision = WhyFacts['decision'];

/** Describes what happens to a path on an MDS, and what each side holds. */
export function whyLines(mds: string, facts: WhyFacts): string[] {
  if (facts.isNowhere === true && facts.excludedBy === undefined)
    return [`${mds}: no such file on Main or on ${mds}`];
  return [
    `${mds}: ${outcome(facts)}`,
    `  on Main: ${facts.main}`,
    `  on ${mds}: ${facts.mds}`,
    `  last agreed: ${facts.ledger}`,
  ];
}

/** What happens to it: the planner's decision, or the obstacle that prevents it. */
function outcome({ decision, excludedBy, obstacle }: WhyFacts): string {
  if (obstacle !== undefined) return `waiting: ${obstacle} (to be done: ${words(decision)})`;
  const isLeftAlone = decision.kind === 'nothing' || decision.kind === 'local';
  return excludedBy !== undefined && isLeftAlone
    ? `left alone: its name is excluded (${excludedBy})`
    : words(decision);
}

function words(decision: Decision): string {
  switch (decision.kind) {
    case 'nothing':
      return 'in sync: nothing to do on either side';
    case 'local':
      return 'local file: exists only on this MDS, left alone';
    case 'agree':
      return 'in sync: identical on Main and on this MDS';
    case 'forget':
      return 'no such file on Main or on this MDS';
    case 'deliver':
      return `${decision.drift ? "Main's version is restored" : 'to be sent'}: ${decision.reason}`;
    case 'remove':
      return `to be removed (kept in the trash of this MDS): ${decision.reason}`;
    case 'upload':
      return `to be sent to Main: ${decision.reason}`;
    case 'remove-on-main':
      return `to be removed on Main (kept in its trash): ${decision.reason}`;
    case 'lose':
      return `conflict: ${decision.reason}; the other version is kept in Main's trash`;
    case 'skip':
      return `skipped: ${decision.reason}`;
    default:
      return `${decision.kind}: ${decision.reason ?? ''}`;
  }
}
