import { BLOCKED_BY_LINT } from '#core/dialplan/finding.ts';
import { isAboutAnother } from '#core/waits.ts';
import type { Facts, MdsStatus } from '../control/contract/contract.ts';
import type { Condition, ConditionKind, Severity } from './condition.ts';
import * as texts from './texts.ts';

/** A larger clock error is reported, milliseconds: the newest of two recordings is determined by it. */
const CLOCK_LIMIT = 5_000;
/** A certificate is renewed at 50 to 80 % of its lifetime: with less than this share left, the renewal failed. */
const CERTIFICATE_LEFT = 0.15;

/** Inputs besides the status. */
export type Moment = {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Lifetime of a new certificate of an agent, milliseconds. */
  readonly certificateLifeMs: number;
};

const SEVERITIES: Readonly<Record<ConditionKind, Severity>> = {
  'main-error': 'critical',
  alarm: 'critical',
  hold: 'critical',
  'refused-reload': 'critical',
  blocked: 'critical',
  away: 'critical',
  'pending-reload': 'critical',
  error: 'warning',
  behind: 'warning',
  certificate: 'warning',
  clock: 'warning',
  approval: 'warning',
  'never-enrolled': 'warning',
  paused: 'warning',
};

/**
 * All problems in a status, worst first, in the order of {@link CONDITION_KINDS}. Pure: the tracker remembers earlier
 * conditions and their start.
 */
export function conditionsOf(status: Facts, at: Moment): Condition[] {
  return [...mainConditions(status), ...status.mds.flatMap((mds) => mdsConditions(mds, status, at))];
}

function mainConditions({ main }: Facts): Condition[] {
  return [
    ...main.errors.map(({ path, message }) =>
      condition('main-error', [path, message], { path }, texts.mainErrorWords(path, message)),
    ),
    ...main.alarms.map(({ message }) => condition('alarm', [message], {}, texts.alarmWords(message))),
    ...main.directories.flatMap(({ name, held }) =>
      held === null ? [] : [condition('hold', [name], { directory: name }, texts.mainHoldWords(name, held))],
    ),
    ...(main.pausedUntil === null ? [] : [condition('paused', [], {}, texts.pausedWords(main.pausedUntil))]),
  ];
}

function mdsConditions(mds: MdsStatus, status: Facts, at: Moment): Condition[] {
  const { name, state } = mds;
  switch (state) {
    case 'connected':
      return connectedConditions(mds, status, at);
    case 'disconnected':
      return [
        condition('away', [name], { mds: name }, texts.awayWords(mds.lastSeen)),
        ...certificate(mds, at),
      ];
    case 'pending':
      return [condition('approval', [name], { mds: name }, texts.approvalWords(name, mds.fingerprint))];
    case 'never-enrolled':
      return [condition('never-enrolled', [name], { mds: name }, texts.neverEnrolledWords(name))];
    case 'revoked':
      // Removed on purpose.
      return [];
  }
}

function connectedConditions(mds: MdsStatus, { main }: Facts, at: Moment): Condition[] {
  const { name, clockOffsetMs } = mds;
  const heldByMain = new Map(main.directories.map((directory) => [directory.name, directory.held]));
  const holds = mds.directories.flatMap(({ name: directory, held }) =>
    // A hold on Main is reported for Main, once.
    held === null || heldByMain.get(directory) === held
      ? []
      : [
          condition(
            'hold',
            [name, directory],
            { mds: name, directory },
            texts.mdsHoldWords(name, directory, held),
          ),
        ],
  );
  return [
    ...holds,
    ...reloads(mds),
    ...errors(mds),
    ...behind(mds, main.pausedUntil !== null),
    ...certificate(mds, at),
    ...(clockOffsetMs !== null && Math.abs(clockOffsetMs) > CLOCK_LIMIT
      ? [condition('clock', [name], { mds: name }, texts.clockWords(clockOffsetMs))]
      : []),
  ];
}

function reloads({ name, reloads, owedReloads }: MdsStatus): Condition[] {
  const kinds = [...new Set([...owedReloads, ...reloads.map(({ kind }) => kind)])];
  return kinds.flatMap((kind) => {
    const last = reloads.findLast((reload) => reload.kind === kind);
    if (owedReloads.includes(kind)) {
      const output = last?.ok === false ? last.output : undefined;
      return [
        condition('pending-reload', [name, kind], { mds: name }, texts.pendingReloadWords(kind, output)),
      ];
    }
    if (last === undefined || last.ok) return [];
    return [
      condition('refused-reload', [name, kind], { mds: name }, texts.refusedReloadWords(kind, last.output)),
    ];
  });
}

/** Files that only wait for another one of their set are counted with that one, which has the problem. */
function errors({ name, errors }: MdsStatus): Condition[] {
  const isBlocked = ({ message }: { message: string }): boolean => message.includes(BLOCKED_BY_LINT);
  const own = errors.filter(({ message }) => !isAboutAnother(message));
  const waiting = own.some(isBlocked) ? errors.length - own.length : 0;
  return (waiting > 0 ? own : errors).map(({ path, message }) =>
    isBlocked({ message })
      ? condition('blocked', [name, path], { mds: name, path }, texts.blockedWords(path, message, waiting))
      : condition('error', [name, path, message], { mds: name, path }, texts.errorWords(path, message)),
  );
}

/** Behind without another explanation, such as a hold, a pause, or an error of each file that is still to do. */
function behind({ name, directories, errors }: MdsStatus, paused: boolean): Condition[] {
  if (paused) return [];
  const isExplained = (directory: string, pending: number): boolean =>
    pending > 0 && errors.filter(({ path }) => path.startsWith(`${directory}/`)).length >= pending;
  const late = directories.filter(
    (each) => !each.inSync && each.held === null && !isExplained(each.name, each.pending),
  );
  if (late.length === 0) return [];
  const pending = late.reduce((sum, directory) => sum + directory.pending, 0);
  const words = texts.behindWords(
    late.map((directory) => directory.name),
    pending,
  );
  return [condition('behind', [name], { mds: name }, words)];
}

function certificate(
  { name, certificateNotAfter }: MdsStatus,
  { now, certificateLifeMs }: Moment,
): Condition[] {
  if (certificateNotAfter === null) return [];
  const left = Date.parse(certificateNotAfter) - now;
  if (left > CERTIFICATE_LEFT * certificateLifeMs) return [];
  return [condition('certificate', [name], { mds: name }, texts.certificateWords(left))];
}

function condition(
  kind: ConditionKind,
  key: readonly string[],
  where: Pick<Condition, 'mds' | 'directory' | 'path'>,
  words: texts.Words,
): Condition {
  return { key: [kind, ...key].join('\u0000'), kind, severity: SEVERITIES[kind], ...where, ...words };
}
