import { fillIn } from '#core/text/fillIn.ts';

/** The words of the line that sums up everything, in English. `{name}` is replaced by a value. */
export const summaryWords = {
  noMds: 'no MDS is enrolled yet: xivo-xds-sync mds add NAME',
  theOneInSync: 'the MDS is in sync',
  allInSync: 'all {count} MDS in sync',
  someBad: '{count} of {total} MDS {state}',
  moreBad: '{count} {state}',
  'group.behind': 'behind',
  'group.disconnected': 'disconnected',
  'group.pending': 'waiting for approval',
  'group.never-enrolled': 'never enrolled',
  heldNow: '{directories} on hold',
  pausedNow: 'paused',
  oneProblem: '1 problem below',
  someProblems: '{count} problems below',
} as const;

/** Gives the words for a key in some language. */
export type Say = (
  key: keyof typeof summaryWords,
  values?: Readonly<Record<string, string | number>>,
) => string;

export const inEnglish: Say = (key, values = {}) => fillIn(summaryWords[key], values);
