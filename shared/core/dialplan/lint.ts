import { encodeName } from '../path/nameBytes.ts';
export type { PlannedPriority } from './extensions.ts';
export { extensionKey } from './extensionKey.ts';
import { readExtensions } from './extensions.ts';
import type { PlannedPriority } from './extensions.ts';
import { Findings } from './finding.ts';
import type { Finding, Place } from './finding.ts';
import { newReading, readLines } from './lines.ts';
import { Sections } from './sections.ts';

/** What lint asks about the world outside the folder. */
export type LintWorld = {
  /** Whether an `#include` of this name or pattern finds a regular file. Relative ones start at /etc/asterisk. */
  readonly exists: (path: string) => boolean;
};

/** A dialplan folder as Asterisk would read it. */
export type DialplanReading = {
  readonly findings: readonly Finding[];
  /** What Asterisk would register, as far as it reads. */
  readonly priorities: readonly PlannedPriority[];
  /** How many lines Asterisk has counted before each file. */
  readonly countedBefore: ReadonlyMap<string, number>;
};

/**
 * Checks the files of a dialplan folder together, as Asterisk reads them: in the order of their names, as if
 * they were one. Paths are relative to the folder. Hidden files and subfolders are not dialplan.
 *
 * Follows Asterisk 16's configuration reader (main/config.c) and pbx_config; later ones differ in nothing here.
 */
export function lintDialplan(files: ReadonlyMap<string, Buffer>, world: LintWorld): Finding[] {
  return [...readDialplan(files, world).findings];
}

/** Whether Asterisk reads the file of this path, relative to the folder, as dialplan. */
export function isDialplan(path: string): boolean {
  return !path.includes('/') && !path.startsWith('.');
}

/** Reads a dialplan folder the way Asterisk does. See `lintDialplan`. */
export function readDialplan(files: ReadonlyMap<string, Buffer>, world: LintWorld): DialplanReading {
  const findings = new Findings();
  const sections = new Sections({ ...world, findings });
  let reading = newReading();
  let broken: Place | undefined;
  const countedBefore = new Map<string, number>();
  for (const [path, content] of inReadingOrder(files)) {
    countedBefore.set(path, reading.counted);
    const stop = sections.readFile(readLines(path, content, reading, findings));
    if (stop === undefined) continue;
    broken ??= stop;
    reading = { ...newReading(), counted: reading.counted };
    sections.goOnAfterBreak();
  }
  noteOpenComment(reading.depth, reading.openedAt, findings);
  const priorities = readExtensions(sections.all, findings);
  const end = broken?.counted ?? Infinity;
  return {
    findings: findings.list(),
    priorities: priorities.filter(({ place, unread }) => !unread && place.counted < end),
    countedBefore,
  };
}

function inReadingOrder(files: ReadonlyMap<string, Buffer>): [string, Buffer][] {
  return [...files]
    .filter(([path]) => isDialplan(path))
    .sort(([a], [b]) => Buffer.compare(encodeName(a), encodeName(b)));
}

function noteOpenComment(depth: number, openedAt: Place | undefined, findings: Findings): void {
  if (depth === 0 || openedAt === undefined) return;
  const what =
    depth > 0 ? 'The block comment that begins here is never closed' : "There is no ';--' for this '--;'";
  findings.error(
    openedAt,
    `${what}: Asterisk takes all that follows for a comment, in every file after it too.`,
  );
}
