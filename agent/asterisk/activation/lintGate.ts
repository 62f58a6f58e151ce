import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import { BLOCKED_BY_LINT } from '#core/dialplan/finding.ts';
import { breakageText, judgeChange } from '#core/dialplan/judgeChange.ts';
import { type DialplanReading, pictureOf, readDialplan } from '#core/dialplan/lint.ts';
import type { Put } from '#host/dialplan/overlay.ts';
import { type DialplanPlace, dialplanWorld } from '#host/dialplan/place.ts';

/** A dialplan folder before and after a change set. */
export type DialplanChange = { readonly before: DialplanReading; readonly after: DialplanReading };

/** What lint says to a change set; reasons are by path. */
export type SetVerdict = {
  /** What keeps all of it out. */
  readonly objections: ReadonlyMap<string, string>;
  /** Files that can't come before removals that are on hold; the others don't need them. */
  readonly waiting: ReadonlyMap<string, string>;
};

/**
 * Reads the folder as it is and as it will be.
 * @param changed what the change set brings, by path
 * @throws what the file system throws
 */
export function readChange(place: DialplanPlace, changed: ReadonlyMap<string, Put>): DialplanChange {
  return {
    before: readDialplan(dialplanWorld(place)),
    after: readDialplan(dialplanWorld(place, changed)),
  };
}

/**
 * Judges a set by what will really be there: what waits to be removed stays. A file that only that is in the way of
 * waits with it, and so does what needs this file; the rest of the set goes ahead.
 *
 * @param changed what the change set brings, by path
 * @param held what would go with it, and waits for a person
 * @returns the verdict, and the change without what waits
 * @throws what the file system throws
 */
export function judgeSet(
  place: DialplanPlace,
  changed: ReadonlyMap<string, Put>,
  held: ReadonlySet<string>,
  lint: DirectoryPolicy['lint'],
): SetVerdict & { readonly change: DialplanChange } {
  const waiting = new Map<string, string>();
  const rest = new Map(changed);
  let change = readChange(place, rest);
  if (lint !== 'block') return { objections: new Map(), waiting, change };
  let found = objectionsTo(change, new Set(rest.keys()));
  if (found.size === 0 || held.size === 0) return { objections: blocked(found), waiting, change };
  const unheld = new Map([...changed, ...[...held].map((path) => [path, undefined] as const)]);
  const anyway = objectionsTo(readChange(place, unheld), new Set(unheld.keys()));
  while (found.size > 0) {
    const real = new Map([...found].filter(([path]) => anyway.has(path)));
    if (real.size > 0) return { objections: blocked(real), waiting: new Map(), change };
    for (const [path, why] of found) {
      waiting.set(path, `removals that are on hold would have to come first: ${why}`);
      rest.delete(path);
    }
    // Then there is nothing that could go ahead.
    if (rest.size === 0) return { objections: waiting, waiting: new Map(), change };
    change = readChange(place, rest);
    found = objectionsTo(change, new Set(rest.keys()));
  }
  return { objections: new Map(), waiting, change };
}

/** The errors that keep a change set out, by the file that is to blame; the first of each. */
function objectionsTo(change: DialplanChange, changed: ReadonlySet<string>): Map<string, string> {
  const objections = new Map<string, string>();
  for (const breakage of judgeChange(change.before, change.after, changed)) {
    const { finding, cause } = breakage;
    const blamed = cause ?? finding.path;
    if (finding.severity === 'warning' || objections.has(blamed)) continue;
    objections.set(blamed, breakageText(breakage));
  }
  return objections;
}

function blocked(objections: ReadonlyMap<string, string>): Map<string, string> {
  const ending = `; nothing of this change was applied ${BLOCKED_BY_LINT}`;
  return new Map([...objections].map(([path, why]) => [path, `${why}${ending}`]));
}

/**
 * Whether Asterisk would read something else than it did the last time, or has not come to the end of its files.
 * @param last the picture of what it read then; undefined where that is not known
 */
export function isRead({ before, after }: DialplanChange, last: string | undefined): boolean {
  const isBroken = after.findings.some(({ losesRest, severity }) => losesRest && severity === 'error');
  return isBroken || pictureOf(after) !== (last ?? pictureOf(before));
}
