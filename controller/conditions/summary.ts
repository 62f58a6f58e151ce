import { formatDuration } from '#core/text/duration.ts';
import type { MdsStatus, Status } from '../control/contract/contract.ts';
import { inEnglish, type Say } from './summaryWords.ts';

/**
 * The state of an MDS in one word, and since when: shared by `status`, the page and the metrics. In order of urgency.
 */
export const STATE_WORDS = [
  'disconnected',
  'on hold',
  'behind',
  'pending',
  'never enrolled',
  'paused',
  'in sync',
  'revoked',
] as const;

export type StateWord = (typeof STATE_WORDS)[number];

export type MdsSummary = {
  readonly mds: MdsStatus;
  readonly state: StateWord;
  /** ISO 8601; null when unknown. */
  readonly since: string | null;
  /** Directories that are not in sync. */
  readonly outOfSync: readonly string[];
  /** Files to be sent or received. */
  readonly pending: number;
};

/** Every MDS with its state, worst first, then by name. */
export function summariesOf(status: Status): MdsSummary[] {
  return status.mds
    .map((mds) => summaryOf(mds, status))
    .toSorted(
      (a, b) =>
        STATE_WORDS.indexOf(a.state) - STATE_WORDS.indexOf(b.state) || (a.mds.name < b.mds.name ? -1 : 1),
    );
}

function summaryOf(mds: MdsStatus, status: Status): MdsSummary {
  const outOfSync = mds.directories.filter(({ inSync }) => !inSync).map(({ name }) => name);
  const pending = mds.directories.reduce((sum, each) => sum + each.pending, 0);
  const state = wordOf(mds, status.main.pausedUntil !== null);
  return { mds, state, since: sinceOf(mds, state, status), outOfSync, pending };
}

function wordOf(mds: MdsStatus, paused: boolean): StateWord {
  switch (mds.state) {
    case 'disconnected':
      return 'disconnected';
    case 'pending':
      return 'pending';
    case 'never-enrolled':
      return 'never enrolled';
    case 'revoked':
      return 'revoked';
    case 'connected':
      if (mds.inSync) return 'in sync';
      if (mds.directories.some(({ held }) => held !== null)) return 'on hold';
      return paused ? 'paused' : 'behind';
  }
}

function sinceOf(mds: MdsStatus, state: StateWord, { causes }: Status): string | null {
  if (state === 'disconnected') return mds.lastSeen;
  if (state === 'in sync') return mds.inSyncSince;
  if (state === 'behind' || state === 'paused') return mds.behindSince;
  if (state !== 'on hold') return null;
  const holds = causes.filter(
    (cause) => cause.kind === 'hold' && (cause.mds.length === 0 || cause.mds.includes(mds.name)),
  );
  return holds.map(({ since }) => since).toSorted()[0] ?? mds.behindSince;
}

/** What the line that sums up everything says, in numbers and names. */
export type Summary = {
  /** Of MDS, the revoked ones left out. */
  readonly total: number;
  /** Groups of MDS that are not in sync. */
  readonly bad: readonly { readonly group: Group; readonly count: number }[];
  /** Directories on hold. */
  readonly held: readonly string[];
  readonly isPaused: boolean;
  /** Causes that need a person, besides these. */
  readonly problems: number;
};

const GROUPS = {
  behind: ['behind', 'on hold', 'paused'],
  disconnected: ['disconnected'],
  pending: ['pending'],
  'never-enrolled': ['never enrolled'],
} as const satisfies Record<string, readonly StateWord[]>;
type Group = keyof typeof GROUPS;

const PROBLEMS: readonly string[] = ['main-error', 'alarm', 'blocked', 'refused-reload', 'pending-reload'];

export function summaryFor(status: Status): Summary {
  const all = summariesOf(status).filter(({ state }) => state !== 'revoked');
  const bad = (Object.keys(GROUPS) as Group[]).map((group) => {
    const states: readonly StateWord[] = GROUPS[group];
    return { group, count: all.filter(({ state }) => states.includes(state)).length };
  });
  const directories = [...status.main.directories, ...status.mds.flatMap((mds) => mds.directories)];
  const held = new Set(directories.filter((each) => each.held !== null).map(({ name }) => name));
  return {
    total: all.length,
    bad: bad.filter(({ count }) => count > 0),
    held: [...held].toSorted(),
    isPaused: status.main.pausedUntil !== null,
    problems: status.causes.filter(({ kind }) => PROBLEMS.includes(kind)).length,
  };
}

/** One line for everything, such as `2 of 3 MDS behind, 1 disconnected; moh on hold`. The page says the same. */
export function summaryLine(status: Status, say: Say = inEnglish): string {
  const { total, bad, held, isPaused, problems } = summaryFor(status);
  if (total === 0) return say('noMds');
  const groups = bad.map(({ group, count }, i) =>
    say(i === 0 ? 'someBad' : 'moreBad', { count, total, state: say(`group.${group}`) }),
  );
  const inSync = total === 1 ? say('theOneInSync') : say('allInSync', { count: total });
  return [
    groups.length === 0 ? inSync : groups.join(', '),
    ...(held.length > 0 ? [say('heldNow', { directories: held.join(', ') })] : []),
    ...(isPaused ? [say('pausedNow')] : []),
    ...(problems === 1
      ? [say('oneProblem')]
      : problems > 1
        ? [say('someProblems', { count: problems })]
        : []),
  ].join('; ');
}

/** A larger age comes from a wrong clock, milliseconds. */
const MAX_AGO = 20 * 365 * 86_400_000;
/** Clock differences below this are ignored, milliseconds. */
const MAX_AHEAD = 3_600_000;

/** The age of a time, as text. @param now milliseconds since 1970 */
export function ago(at: string | null, now: number): string {
  if (at === null) return '-';
  const ms = now - Date.parse(at);
  // A wrong clock of an MDS (it started in 1970, it is ahead) gives no meaningful time.
  return Number.isFinite(ms) && ms > -MAX_AHEAD && ms < MAX_AGO ? formatDuration(Math.max(0, ms)) : '-';
}
