import { ControlError } from '#host/control/controlError.ts';
import { printable } from '#core/text/printable.ts';
import type { Controller } from '../../daemon/controller.ts';
import { passOver } from '../../daemon/passes.ts';
import type { ShowProgress } from '../../daemon/passProgress.ts';
import type { ControllerHandlers, Difference, Result } from '../contract/contract.ts';
import { contentsOf } from './contents.ts';
import { listing, requirePlace, refuseLeftAlone, refuseUnknown } from './listing.ts';
import { note } from './note.ts';
import { prune } from './prune.ts';
import { takeFromMds } from './take.ts';
import { refuseWhilePaused } from '../refuseWhilePaused.ts';

type Handled = Pick<ControllerHandlers, 'diff' | 'adopt' | 'revert' | 'prune'>;

/** Lists the differences between an MDS and Main, and resolves them in either direction. */
export function differenceHandlers(controller: Controller): Handled {
  return {
    diff: ({ mds, path }) => diff(controller, mds, path),
    adopt: ({ mds, path, dryRun }, { by, progress }) =>
      adopt(controller, { mds, path, dryRun, actor: by, show: progress }),
    revert: ({ mds, path, dryRun }, { by, progress }) =>
      revert(controller, { mds, path, dryRun, actor: by, show: progress }),
    prune: ({ mds, path, dryRun, shown }, { by }) =>
      prune(controller, { mds, path, dryRun, shown, actor: by }),
  };
}

async function diff(
  controller: Controller,
  mds: string,
  written: string | undefined,
): Promise<Result<'diff'>> {
  const place = written === undefined ? undefined : requirePlace(controller, written);
  const found = await listing(controller, mds, place);
  if (place !== undefined && found.differences.length === 0 && found.problems.length === 0)
    await refuseUnknown(controller, mds, place);
  const contents = place === undefined ? [] : await contentsOf(controller, mds, found.differences);
  return { name: mds, ...found, contents };
}

type Asked = {
  readonly mds: string;
  readonly path: string;
  readonly dryRun: boolean;
  readonly actor: string;
  readonly show: ShowProgress;
};

/** Makes an MDS's version Main's. */
async function adopt(
  controller: Controller,
  { mds, path, dryRun, actor, show }: Asked,
): Promise<Result<'adopt'>> {
  const place = requirePlace(controller, path);
  const { differences, more, problems } = await listing(controller, mds, place);
  if (problems.length > 0) throw new ControlError(problems.join('; '));
  const files = differences.filter(isOwnVersion);
  const common = { name: mds, directory: place.directory.name, files };
  if (files.length === 0) {
    refuseLeftAlone(
      mds,
      differences,
      `To deliver it everywhere, copy it there under another name, and adopt that`,
    );
    if (differences.length === 0) await refuseUnknown(controller, mds, place);
    return { ...common, by: null, mds: [] };
  }
  if (more > 0)
    throw new ControlError(`${files.length + more} files are too many at once: name a folder with fewer`);
  if (dryRun) return { ...common, by: null, mds: [] };
  const { by, mds: passes } = await takeFromMds(controller, {
    mds,
    directory: place.directory,
    files,
    kind: 'adopt',
    reason: `adopted from ${mds}`,
    actor,
    show,
  });
  return { ...common, by, mds: passes };
}

/** A file that the MDS has, or had until Main's version replaced it. */
function isOwnVersion({ kind, type }: Difference): boolean {
  return (
    (kind === 'local' || kind === 'drift' || kind === 'replaced' || kind === 'pending') &&
    (type === 'file' || type === 'link')
  );
}

/** Restores Main's version on an MDS; the version of the MDS goes to its trash. */
async function revert(
  controller: Controller,
  { mds, path, dryRun, actor, show }: Asked,
): Promise<Result<'revert'>> {
  const place = requirePlace(controller, path);
  const { directory } = place;
  const { differences, problems } = await listing(controller, mds, place);
  if (problems.length > 0) throw new ControlError(problems.join('; '));
  const files = differences.filter(isToRevert);
  const common = { name: mds, directory: directory.name, files };
  if (files.length === 0) {
    refuseLeftAlone(mds, differences, `Remove or rename it on ${mds} itself`);
    const [local] = differences.filter(({ kind }) => kind === 'local');
    if (local !== undefined)
      throw new ControlError(
        `${directory.name}/${printable(local.path)} is a local file of ${mds}: Main has no version of it. To remove it there: xivo-xds-sync prune ${mds} ${directory.name}/${printable(local.path)}`,
      );
    if (differences.length === 0) await refuseUnknown(controller, mds, place);
    return { ...common, left: [], mds: [] };
  }
  if (directory.config.direction === 'both')
    throw new ControlError(
      `in ${directory.name} the newest version wins on all hosts: restore an older one with "xivo-xds-sync trash restore", or undo a change set with "xivo-xds-sync rollback"`,
    );
  if (dryRun) return { ...common, left: [], mds: [] };
  refuseWhilePaused(controller);
  const passes = await passOver(controller, { do: 'reconcile' }, mds, show);
  const left = (await listing(controller, mds, place)).differences.filter(isToRevert);
  const reason = `reverted to Main's version on ${mds}`;
  for (const each of files) {
    if (left.some((other) => other.path === each.path)) continue;
    note(controller, { mds, directory: directory.name, path: each.path, kind: 'revert', reason, actor });
  }
  return { ...common, left, mds: passes };
}

/** Current differences in files of Main; versions that Main's has already replaced are in the trash. */
function isToRevert({ kind, item }: Difference): boolean {
  return item === null && (kind === 'drift' || kind === 'replaced' || kind === 'pending');
}
