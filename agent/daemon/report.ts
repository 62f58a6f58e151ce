import type { ErrorReport, ReloadReport } from '#protocol/messages/common.ts';
import type { AgentReport } from '#protocol/messages/session.ts';
import { MAX_SKIPPED } from '#protocol/limits.ts';
import { whatFits } from '#protocol/pages.ts';
import type { AgentDirectory } from '../directory/agentDirectory.ts';

/** Most errors in one report: a person can't read more, and the message stays small. */
const MAX_ERRORS = 200;
const MAX_MESSAGE = 2_000;
/** Most bytes that errors, and the skipped paths of one directory, may take of a report: each path may be long. */
const MAX_ERROR_BYTES = 1024 * 1024;
const MAX_SKIPPED_BYTES = 32 * 1024;

export type Reconciled = { readonly at: string; readonly ok: boolean; readonly durationMs: number };

/** Fields that are omitted for a Main of an older version. */
export type ReportHearer = { readonly skipped: boolean; readonly figures: boolean };

export type ReportInput = {
  readonly directories: readonly AgentDirectory[];
  /** Problems with this program's own files. */
  readonly troubles: readonly ErrorReport[];
  /** Directories of Main that can't be opened here, and why. */
  readonly unknown: readonly { readonly name: string; readonly message: string }[];
  readonly clockOffsetMs: number;
  readonly lastReconcile: Reconciled | undefined;
  readonly reloads: readonly ReloadReport[];
  readonly pendingReloads: AgentReport['owedReloads'];
  /** The capabilities of the receiver. */
  readonly hearer: ReportHearer;
  readonly sequence: number;
  readonly now: number;
};

/** The state of this MDS, for Main's status. */
export function makeReport(input: ReportInput): AgentReport {
  const now = new Date(input.now).toISOString();
  const errors: ErrorReport[] = [
    ...input.troubles,
    ...input.unknown.map(({ name, message }) => ({ at: now, path: name, message })),
  ];
  for (const { name, troubles, replica } of input.directories) {
    if (replica.trouble !== undefined)
      errors.push({ at: now, path: name, message: `${replica.path} can't be read: ${replica.trouble}` });
    for (const [path, { at, message }] of troubles) {
      if (errors.length >= MAX_ERRORS) break;
      errors.push({
        at: new Date(at).toISOString(),
        path: `${name}/${path}`,
        message: message.slice(0, MAX_MESSAGE),
      });
    }
  }
  return {
    type: 'report',
    sequence: input.sequence,
    directories: input.directories.map((directory) => ({
      ...directory.report(input.hearer.figures),
      ...(input.hearer.skipped && { skipped: skippedIn(directory) }),
    })),
    clockOffsetMs: Math.round(input.clockOffsetMs * 1000) / 1000,
    lastReconcile: input.lastReconcile ?? null,
    reloads: [...input.reloads],
    owedReloads: [...input.pendingReloads],
    errors: whatFits(errors, MAX_ERROR_BYTES, MAX_ERRORS),
  };
}

function skippedIn(directory: AgentDirectory): { path: string; reason: string }[] {
  const named = Iterator.from(directory.skipped()).map(({ path, reason }) => ({
    path,
    reason: reason.slice(0, MAX_MESSAGE),
  }));
  return whatFits(named, MAX_SKIPPED_BYTES, MAX_SKIPPED);
}
