import { type Finding, textOf } from './finding.ts';
import type { DialplanReading } from './lint.ts';
import { closureOf } from './needs.ts';

/** A finding caused by a change set, with the changed file that causes it if that is another one. */
export type Breakage = { readonly finding: Finding; readonly cause: string | undefined };

/**
 * The findings that a change set is responsible for: those that are new with it, and those about its own files. Findings
 * that existed before, such as in a local file, are not its fault.
 *
 * @param changed the paths that the set writes or removes, below the folder
 */
export function judgeChange(
  before: DialplanReading,
  after: DialplanReading,
  changed: ReadonlySet<string>,
): Breakage[] {
  const known = new Set([...before.findings, ...before.outside].map(keyOf));
  const outside = before.isFromStart && after.isFromStart ? after.outside : [];
  return [...after.findings, ...outside]
    .map((finding) => promoted(finding, before, after))
    .filter((finding) => changed.has(finding.path) || !known.has(keyOf(finding)))
    .map((finding) => ({ finding, cause: causeOf(finding, before, after, changed) }));
}

/** The message for the file that causes the finding. */
export function breakageText({ finding, cause }: Breakage): string {
  return cause === undefined
    ? `line ${String(finding.line)}: ${finding.message}`
    : `it breaks ${textOf(finding)}`;
}

/** Compares messages without line numbers, which change with every edit of the file. */
function keyOf(finding: Finding): string {
  return `${finding.severity}\0${textOf(finding).replaceAll(/ line \d+ already/g, '')}`;
}

/**
 * Whether a missing section existed before the change, so that no other file provides it. Undecidable where a program's
 * output or an unread file is included.
 */
function promoted(finding: Finding, before: DialplanReading, after: DialplanReading): Finding {
  const { wants, severity } = finding;
  if (severity === 'error' || wants === undefined || after.hasUnknown) return finding;
  const wasThere = before.needs.some(
    ({ path, name, kind }) =>
      path === finding.path && (kind === 'template' || kind === 'base') && lower(name) === wants,
  );
  if (!wasThere && !before.sections.has(wants)) return finding;
  if (!wasThere && after.sections.has(wants)) return finding;
  return { ...finding, severity: 'error' };
}

function causeOf(
  finding: Finding,
  before: DialplanReading,
  after: DialplanReading,
  changed: ReadonlySet<string>,
): string | undefined {
  const { path, wants, other } = finding;
  if (changed.has(path)) return undefined;
  const provider =
    wants === undefined
      ? undefined
      : before.needs.find(
          (need) => need.path === path && lower(need.name) === wants && changed.has(need.from),
        )?.from;
  if (provider !== undefined) return provider;
  const definer = wants === undefined ? undefined : before.sections.get(wants);
  if (definer !== undefined && changed.has(definer)) return definer;
  if (other !== undefined && changed.has(other)) return other;
  const leansOn = before.needs.find((need) => need.path === path && changed.has(need.from))?.from;
  if (leansOn !== undefined) return leansOn;
  return [...changed].find((each) => isNear(each, path, before, after)) ?? firstOf(changed);
}

/** Whether a change of one file can make another one right or wrong. */
function isNear(changed: string, path: string, ...readings: readonly DialplanReading[]): boolean {
  return readings.some(({ needs }) => closureOf([changed], needs).has(path));
}

function firstOf(paths: ReadonlySet<string>): string | undefined {
  const [first] = paths;
  return first;
}

function lower(name: string): string {
  return Buffer.from(name, 'latin1').toString().toLowerCase();
}
