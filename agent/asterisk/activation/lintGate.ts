import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import { BLOCKED_BY_LINT } from '#core/dialplan/finding.ts';
import { breakageText, judgeChange } from '#core/dialplan/judgeChange.ts';
import { type DialplanReading, pictureOf } from '#core/dialplan/lint.ts';
import type { Put } from '#host/dialplan/overlay.ts';

/** A dialplan folder before and after a change set. */
export type DialplanChange = { readonly before: DialplanReading; readonly after: DialplanReading };

/** Reads the dialplan folder, with the content of a change set by path. @throws Node's fs errors */
export type ReadFolder = (changed?: ReadonlyMap<string, Put>) => Promise<DialplanReading>;

/** Lint's verdict on a change set; reasons by path. */
export type SetVerdict = {
  /** Errors that block the whole set. */
  readonly objections: ReadonlyMap<string, string>;
  /** Files that have to wait for removals that are on hold; the other files don't depend on them. */
  readonly waiting: ReadonlyMap<string, string>;
};

/**
 * Reads the folder before and after a change set.
 * @param changed the change set's content, by path
 * @throws Node's fs errors
 */
export async function readChange(
  read: ReadFolder,
  changed: ReadonlyMap<string, Put>,
): Promise<DialplanChange> {
  return { before: await read(), after: await read(changed) };
}

/**
 * Judges a set by the folder that results from it, with removals on hold still in place. A file that only such a removal
 * blocks waits for it, and so do files that need this one; the rest of the set goes ahead.
 *
 * @param changed the change set's content, by path
 * @param held removals of the set that are on hold
 * @returns the verdict, and the change without the waiting files
 * @throws Node's fs errors
 */
export async function judgeSet(
  read: ReadFolder,
  changed: ReadonlyMap<string, Put>,
  held: ReadonlySet<string>,
  lint: DirectoryPolicy['lint'],
): Promise<SetVerdict & { readonly change: DialplanChange }> {
  const waiting = new Map<string, string>();
  const rest = new Map(changed);
  let change = await readChange(read, rest);
  if (lint !== 'block') return { objections: new Map(), waiting, change };
  let found = objectionsTo(change, new Set(rest.keys()));
  if (found.size === 0 || held.size === 0) return { objections: blocked(found), waiting, change };
  const unheld = new Map([...changed, ...[...held].map((path) => [path, undefined] as const)]);
  const anyway = objectionsTo(await readChange(read, unheld), new Set(unheld.keys()));
  while (found.size > 0) {
    const real = new Map([...found].filter(([path]) => anyway.has(path)));
    if (real.size > 0) return { objections: blocked(real), waiting: new Map(), change };
    for (const [path, why] of found) {
      waiting.set(path, `removals that are on hold would have to come first: ${why}`);
      rest.delete(path);
    }
    // Nothing is left that could go ahead.
    if (rest.size === 0) return { objections: waiting, waiting: new Map(), change };
    change = await readChange(read, rest);
    found = objectionsTo(change, new Set(rest.keys()));
  }
  return { objections: new Map(), waiting, change };
}

/** The errors that block a change set, by the file that causes them; the first one of each. */
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
  return new Map([...objections].map(([path, why]) => [path, `${why.replace(/\.$/, '')}${ending}`]));
}

/**
 * Whether Asterisk would read other content than at the last reload, or did not reach the end of its files.
 * @param last the hash of the content that it read; undefined when unknown
 */
export function isRead({ before, after }: DialplanChange, last: string | undefined): boolean {
  const isBroken = after.findings.some(({ losesRest, severity }) => losesRest && severity === 'error');
  return isBroken || pictureOf(after) !== (last ?? pictureOf(before));
}
