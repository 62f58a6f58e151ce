import { type Breakage, judgeChange } from '#core/dialplan/judgeChange.ts';
import { type DialplanReading, pictureOf, readDialplan } from '#core/dialplan/lint.ts';
import type { Put } from '#host/dialplan/overlay.ts';
import { type DialplanPlace, dialplanWorld } from '#host/dialplan/place.ts';

/** A dialplan folder before and after a change set. */
export type DialplanChange = { readonly before: DialplanReading; readonly after: DialplanReading };

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

/** What lint has against a change set: what the folder would have with it and does not have without. */
export function lintChange(place: DialplanPlace, changed: ReadonlyMap<string, Put>): Breakage[] {
  const { before, after } = readChange(place, changed);
  return judgeChange(before, after, new Set(changed.keys()));
}

/**
 * Whether Asterisk would read something else than it did the last time, or has not come to the end of its files.
 * @param last the picture of what it read then; undefined where that is not known
 */
export function isRead({ before, after }: DialplanChange, last: string | undefined): boolean {
  const isBroken = after.findings.some(({ losesRest, severity }) => losesRest && severity === 'error');
  return isBroken || pictureOf(after) !== (last ?? pictureOf(before));
}
