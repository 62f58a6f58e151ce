import { countOf } from '#core/text/countOf.ts';
import { createHash, randomBytes } from 'node:crypto';
import { MAX_ITEMS, MAX_PAGE_BYTES } from '#protocol/limits.ts';
import { pagesOf } from '#protocol/pages.ts';
import { changeSetId } from '#core/changeSet.ts';
import { ControlError } from '#host/control/controlError.ts';
import type { Controller } from '../../daemon/controller.ts';
import type { ControllerSession } from '../../sessions/controllerSession.ts';
import type { Difference, Result } from '../contract/contract.ts';
import { refuseWhilePaused } from '../refuseWhilePaused.ts';
import { comparable, listing, refuseLeftAlone, refuseUnknown, requirePlace } from './listing.ts';

type Pruning = {
  readonly mds: string;
  readonly path: string | undefined;
  readonly dryRun: boolean;
  readonly shown: string | undefined;
  readonly actor: string;
};

/** Moves local files of an MDS to its trash: only those that were shown. */
export async function prune(controller: Controller, asked: Pruning): Promise<Result<'prune'>> {
  const { mds, path, dryRun, shown, actor } = asked;
  if (!dryRun) refuseWhilePaused(controller);
  const place = path === undefined ? undefined : requirePlace(controller, path);
  const { differences, more, problems } = await listing(controller, mds, place);
  const files = differences.filter(({ kind }) => kind === 'local');
  const digest = digestOf(files);
  const result = {
    name: mds,
    files,
    more,
    digest,
    removed: [],
    problems,
    refusals: [],
    rehearsed: false,
  };
  if (files.length === 0 && place !== undefined) {
    refuseLeftAlone(mds, differences, `Remove it on ${mds} itself`);
    if (differences.length === 0) await refuseUnknown(controller, mds, place);
  }
  if (files.length === 0) return result;
  const session = comparable(controller, mds);
  if (dryRun) return { ...result, ...(await rehearse(session, files)) };
  if (shown !== undefined && shown !== digest)
    throw new ControlError(
      `the local files of ${mds} have changed since they were shown: nothing was removed. Run the command again`,
    );
  const save = changeSetId(controller.clock.now(), randomBytes(8).toString('hex'));
  const removed: { directory: string; path: string }[] = [];
  for (const { directory, paths } of pages(files)) {
    const pruning = { directory, paths: new Set(paths), actor, save };
    const answer = await session.prunings.during(pruning, () =>
      session.command({ do: 'prune', directory, paths }),
    );
    if (!answer.ok) problems.push(`${mds}: ${directory}: ${answer.lines.join('; ')}`);
    const gone = answer.actions.filter((each) => each.directory === directory).map((each) => each.path);
    removed.push(...gone.map((each) => ({ directory, path: each })));
    const left = paths.filter((each) => !gone.includes(each)).length;
    if (answer.ok && left > 0)
      problems.push(
        `${mds}: ${directory}: ${countOf(left, 'file')} changed in this moment and ${left === 1 ? 'stays' : 'stay'}`,
      );
  }
  controller.log.warn('local files removed', { mds, files: removed.length });
  return { ...result, removed };
}

/**
 * Asks an MDS whether it would refuse. An agent of an older version is not asked: it knows only the command that removes.
 */
async function rehearse(
  session: ControllerSession,
  files: readonly Difference[],
): Promise<Pick<Result<'prune'>, 'refusals' | 'rehearsed'>> {
  if (!session.capabilities.has('prune-rehearsal')) return { refusals: [], rehearsed: false };
  const refusals = new Map<string, string>();
  for (const { directory, paths } of pages(files)) {
    if (refusals.has(directory)) continue;
    const answer = await session.command({ do: 'prune-rehearsal', directory, paths });
    if (!answer.ok) refusals.set(directory, answer.lines.join('; '));
  }
  return {
    refusals: [...refusals].map(([directory, reason]) => ({ directory, reason })),
    rehearsed: true,
  };
}

/** The files of each directory, as many at once as one message and one change set take. */
function* pages(
  files: readonly Difference[],
): Generator<{ readonly directory: string; readonly paths: string[] }> {
  for (const directory of new Set(files.map((each) => each.directory))) {
    const here = files.filter((each) => each.directory === directory).map((each) => each.path);
    for (const paths of pagesOf(here, { most: Math.min(MAX_ITEMS, MAX_PAGE_BYTES) }))
      yield { directory, paths };
  }
}

function digestOf(files: readonly Difference[]): string {
  const lines = files.map(({ directory, path, bytes }) => JSON.stringify([directory, path, bytes]));
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
