import { formatDuration } from '#core/text/duration.ts';
import type { MdsStatus, Status } from '../control/contract/contract.ts';

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

/** One line for everything, such as `2 of 3 MDS behind, 1 disconnected; moh on hold`. */
export function summaryLine(status: Status): string {
  const all = summariesOf(status).filter(({ state }) => state !== 'revoked');
  if (all.length === 0) return 'no MDS is enrolled yet: xivo-xds-sync mds add NAME';
  const count = (...states: StateWord[]): number => all.filter(({ state }) => states.includes(state)).length;
  const groups: [number, string][] = [
    [count('behind', 'on hold', 'paused'), 'behind'],
    [count('disconnected'), 'disconnected'],
    [count('pending'), 'waiting for approval'],
    [count('never enrolled'), 'never enrolled'],
  ];
  const bad = groups.filter(([number]) => number > 0);
  const parts: string[] = [];
  if (bad.length === 0) parts.push(all.length === 1 ? 'the MDS is in sync' : `all ${all.length} MDS in sync`);
  else
    parts.push(
      bad
        .map(([number, word], i) =>
          i === 0 ? `${number} of ${all.length} MDS ${word}` : `${number} ${word}`,
        )
        .join(', '),
    );
  const held = new Set([
    ...status.main.directories.filter((each) => each.held !== null).map(({ name }) => name),
    ...status.mds
      .flatMap(({ directories }) => directories)
      .filter((each) => each.held !== null)
      .map(({ name }) => name),
  ]);
  if (held.size > 0) parts.push(`${[...held].toSorted().join(', ')} on hold`);
  if (status.main.pausedUntil !== null) parts.push('paused');
  const critical = status.causes.filter(({ kind }) =>
    ['main-error', 'alarm', 'blocked', 'refused-reload', 'pending-reload'].includes(kind),
  );
  if (critical.length > 0)
    parts.push(critical.length === 1 ? '1 problem below' : `${critical.length} problems below`);
  return parts.join('; ');
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
