import type { Difference } from '#protocol/messages/answers.ts';
import { shapeOf } from '#sync/scan/inspect.ts';
import { codeOf } from '#host/fs/errno.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { TimeSlice } from '#host/time/timeSlice.ts';
import { bytesOf, type Entry } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { OVERRIDE_PREFIX, RESERVED_NAME } from '#core/path/names.ts';
import { isNested } from '#core/path/nesting.ts';
import { isBelow, joinPath } from '#core/path/relative.ts';
import { ownVersionOf } from '#core/plan/decide.ts';
import type { Decision } from '#core/plan/decision.ts';
import { decidePath, excludingPattern, plan } from '#core/plan/plan.ts';
import type { PlanInput } from '#core/plan/planInput.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { hashInTrash, type TrashItem } from '#sync/trash/trash.ts';

/** A directory on this MDS to be compared with Main. */
export type Compared = {
  readonly directory: string;
  readonly nested: ReadonlySet<string>;
  readonly replica: Replica;
  readonly input: PlanInput;
  /** The items of its trash, newest first. */
  readonly trash: readonly TrashItem[];
  /** What prevents the action on a path, if anything does. */
  readonly obstacleOf: (path: string) => { readonly reason: string } | undefined;
};

/**
 * The differences of this MDS from Main, as the planner sees them, sorted by path: current differences, paths that are
 * left alone because of their name, and edits in the trash that Main's version replaced.
 * @param under only this path and below; all if absent
 * @throws Node's fs errors when the directory can't be opened; the reason of its end
 */
export async function differencesOf(at: Compared, under?: string): Promise<Difference[]> {
  const isMeant = (path: string): boolean =>
    under === undefined || path === under || isBelow(path, under) || isBelow(under, path);
  const found = [...(await byPlan(at)), ...(await leftAlone(at))].filter(({ path }) => isMeant(path));
  const now = new Set(found.map(({ path }) => path));
  for (const each of await inTrash(at)) if (isMeant(each.path) && !now.has(each.path)) found.push(each);
  return found
    .filter(({ path }) => under === undefined || path === under || isBelow(path, under))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

async function byPlan({ directory, replica, input, obstacleOf }: Compared): Promise<Difference[]> {
  const { decisions } = plan(input);
  const slice = new TimeSlice(replica.signal);
  const found: Difference[] = [];
  for (const path of new Set([...replica.paths(), ...decisions.keys(), ...input.main.paths()])) {
    if (slice.due) await slice.pause();
    const decision = decisions.get(path) ?? decidePath(input, path);
    const kind = kindOf(decision, input, path);
    const entry = entryOf(replica.get(path));
    // A folder is not listed beside its content.
    if (kind === undefined || (kind === 'local' && entry?.type === 'folder' && !isEmpty(replica, path)))
      continue;
    const pattern = kind === 'excluded' ? excludingPattern(input, path) : undefined;
    const reason =
      pattern ?? obstacleOf(path)?.reason ?? ('reason' in decision ? decision.reason : undefined);
    found.push({ kind, directory, path, ...shapeOfEntry(entry), ...(reason !== undefined && { reason }) });
  }
  return found;
}

function kindOf(decision: Decision, input: PlanInput, path: string): Difference['kind'] | undefined {
  switch (decision.kind) {
    case 'nothing':
    case 'agree':
    case 'forget':
      return undefined;
    case 'local':
      return excludingPattern(input, path) === undefined ? 'local' : 'excluded';
    case 'deliver':
      return decision.drift ? 'drift' : (ownVersionOf(decision.reason) ?? 'pending');
    case 'skip':
      return decision.failed ? 'pending' : 'skipped';
    case 'remove':
    case 'upload':
    case 'remove-on-main':
    case 'lose':
      return 'pending';
  }
}

/** Overrides and excluded names: found by their names, never read. */
async function leftAlone({ directory, nested, replica, input }: Compared): Promise<Difference[]> {
  using open = new OpenFolders(replica.path);
  const slice = new TimeSlice(replica.signal);
  const found: Difference[] = [];
  for (const folder of replica.folders()) {
    if (slice.due) await slice.pause();
    for (const name of namesIn(open, folder)) {
      const path = joinPath(folder, name);
      if (path === RESERVED_NAME || isNested(nested, path) || replica.get(path) !== undefined) continue;
      const stat = open.get(folder).stat(name);
      if (stat === undefined) continue;
      const shape = shapeOf(stat);
      if (name.startsWith(OVERRIDE_PREFIX)) {
        found.push({ kind: 'override', directory, path, ...shape });
        continue;
      }
      const pattern = input.excludes?.patternFor(path, stat.isDirectory());
      if (pattern !== undefined) found.push({ kind: 'excluded', directory, path, ...shape, reason: pattern });
    }
  }
  return found;
}

/** A folder that disappears at this moment is empty. */
function namesIn(open: OpenFolders, folder: string): string[] {
  try {
    return open.get(folder).list();
  } catch (error) {
    if (codeOf(error) === 'EMFILE') throw error;
    return [];
  }
}

/** The newest edit of each path on this MDS, unless it is the current version. */
async function inTrash({ directory, replica, trash }: Compared): Promise<Difference[]> {
  const newest = new Map<string, TrashItem>();
  for (const item of trash)
    if (ownVersionOf(item.reason) !== undefined && !newest.has(item.path)) newest.set(item.path, item);
  const found: Difference[] = [];
  for (const item of newest.values()) {
    const { id, path, at, type, bytes, reason } = item;
    const kind = ownVersionOf(reason);
    if (kind === undefined || (await isThereNow(replica, item))) continue;
    found.push({ kind, directory, path, type, bytes, at, item: id, reason });
  }
  return found;
}

/** Adopted or restored meanwhile: no longer a difference. */
async function isThereNow(replica: Replica, { id, path, type, bytes }: TrashItem): Promise<boolean> {
  const entry = entryOf(replica.get(path));
  if (type !== 'file' || entry?.type !== 'file' || entry.size !== bytes) return false;
  try {
    return (await hashInTrash(replica.path, id, replica.signal)) === entry.hash;
  } catch {
    replica.signal.throwIfAborted();
    // It is listed; reading it reports the error.
    return false;
  }
}

function isEmpty(replica: Replica, folder: string): boolean {
  for (const _child of replica.childrenOf(folder)) return false;
  return !replica.holdsOverride(folder);
}

function shapeOfEntry(entry: Entry | undefined): Pick<Difference, 'type' | 'bytes'> {
  return { type: entry?.type ?? 'other', bytes: bytesOf(entry) };
}
