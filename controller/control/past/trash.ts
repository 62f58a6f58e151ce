import { ControlError } from '#host/control/controlError.ts';
import { printable } from '#core/text/printable.ts';
import { refusePath } from '#core/path/relative.ts';
import { placeInTrash, type TrashItem } from '#sync/trash/trash.ts';
import type { Controller } from '../../daemon/controller.ts';
import type { ShowProgress } from '../../daemon/passProgress.ts';
import type { ListedTrash, Result } from '../contract/contract.ts';
import { requirePlace } from '../differences/listing.ts';
import { takeFromMds } from '../differences/take.ts';
import { enrolledMds, requireDirectory } from '../known.ts';
import { locate } from '../locate.ts';
import { whyNonsense } from '../nonsense.ts';
import { restoreVersions } from './restore.ts';

/** The items that can be restored: on Main and on every connected MDS, or on one. */
export async function trashList(
  controller: Controller,
  only: string | undefined,
): Promise<Result<'trash-list'>> {
  const names = enrolledMds(controller, only);
  const items: ListedTrash[] = [];
  const problems: string[] = [];
  if (only === undefined) {
    for (const directory of controller.directories.values()) {
      if (directory.replica.held !== undefined) continue;
      const listed = await directory.trash();
      items.push(...listed.items.map((item) => listedAt('main', item)));
      problems.push(...listed.problems.map((problem) => `main: ${problem}`));
    }
  }
  await Promise.all(
    names.map(async (name) => {
      const answer = await controller.sessions.get(name)?.command({ do: 'trash-list' });
      if (answer === undefined || !answer.ok)
        return problems.push(`${name}: ${answer?.lines.join('; ') ?? 'not connected'}`);
      const { body } = answer;
      if (body?.to !== 'trash-list') return problems.push(`${name}: ${whyNonsense(body)}`);
      problems.push(...body.problems.map((problem) => `${name}: ${problem}`));
      items.push(...body.items.map((item) => listedAt(name, item)));
      return undefined;
    }),
  );
  return { items: items.sort((a, b) => (a.at < b.at ? 1 : -1)), problems };
}

function listedAt(host: string, item: TrashItem): ListedTrash {
  return { host, ...item, at: new Date(item.at).toISOString() };
}

/**
 * True when Main's trash has an item of exactly this path that Main's older versions do not contain: the loser of a
 * conflict, or a file displaced after the newest recorded change.
 */
async function isNewerInTrash(controller: Controller, written: string): Promise<boolean> {
  const place = locate(controller, written);
  if (place === undefined || place.directory.replica.held !== undefined) return false;
  const { directory, path } = place;
  const { items } = await directory.trash();
  const displaced = items.filter((item) => item.path === path);
  if (displaced.length === 0) return false;
  const newest = Math.max(...displaced.map(({ at }) => at));
  const [last] = controller.versions.log.ofScope(directory.name, path);
  return last === undefined || newest >= last.at || !controller.versions.hasContentOf(last.before);
}

/** How the id of a change set, or of an item in its trash, begins. */
const CHANGE_SET = /^\d{8}T\d{6}/;

/** Restores the newest version of a path, on Main or on one MDS. */
export async function trashRestore(
  controller: Controller,
  written: string,
  as: string | undefined,
  mds: string | undefined,
  options: {
    readonly at?: number | undefined;
    readonly toMain?: boolean | undefined;
    readonly dryRun: boolean;
    readonly actor: string;
    readonly show: ShowProgress;
  },
): Promise<Result<'trash-restore'>> {
  const { toMain = false, dryRun, actor, show } = options;
  if (!CHANGE_SET.test(written)) requirePlace(controller, written);
  // Older versions on Main are preferred: they cover whole folders and change sets.
  if (
    mds === undefined &&
    as === undefined &&
    !(options.at === undefined && (await isNewerInTrash(controller, written)))
  ) {
    const restored = await restoreVersions(controller, { written, ...options });
    if (restored !== undefined)
      return { host: 'main', directory: restored.directory, path: written, id: null, restored };
  }
  if (options.at !== undefined)
    throw new ControlError(`Main keeps no version of ${written} that could be restored`);
  const startedAt = controller.clock.monotonic();
  const { items } = await trashList(controller, mds);
  const host = mds ?? 'main';
  const place = locate(controller, written);
  // An item is given by its id, or by its path, which means the newest.
  const item = items.find((each) => {
    if (each.host !== host) return false;
    return each.id === written || (each.directory === place?.directory.name && each.path === place.path);
  });
  if (item === undefined)
    throw new ControlError(
      `the trash of ${host} contains no ${printable(written)}${whereElse(items, host, written, place)}`,
    );
  const to = as === undefined ? item.path : pathIn(controller, item.directory, as);
  const refusal = refusePath(to);
  if (refusal !== undefined) throw new ControlError(`${to}: ${refusal}`, 2);
  if (mds !== undefined && toMain) return toMainFrom(controller, mds, item, { to, dryRun, actor, show });
  const result = { host, directory: item.directory, path: to, id: item.id, restored: null };
  if (dryRun) return result;
  if (mds === undefined)
    await controller.directories
      .get(item.directory)
      ?.restore({ ...item, at: Date.parse(item.at) }, to, actor);
  else {
    // Sent to the agent first: a recording that Main removed would otherwise be removed again at once.
    controller.directories.get(item.directory)?.forgetRemoval(to);
    const answer = await controller.sessions
      .get(mds)
      ?.command({ do: 'trash-restore', directory: item.directory, item: item.id, to });
    if (answer === undefined || !answer.ok)
      throw new ControlError(`${mds}: ${answer?.lines.join('; ') ?? 'not connected'}`);
  }
  controller.log.info('restored from the trash', {
    host,
    directory: item.directory,
    path: to,
    item: item.id,
  });
  controller.history.add({
    at: controller.clock.now(),
    mds: host,
    detail: `${to}: restored from the trash (${item.id})`,
    directory: item.directory,
    changeSet: placeInTrash(item.id).changeSet,
    kind: 'restore',
    path: to,
    reason: `restored from the trash (${item.id})`,
    actor,
    bytes: item.bytes,
    durationMs: Math.round(controller.clock.monotonic() - startedAt),
  });
  return result;
}

/** A new name, as users write it, within the directory of the item. @throws ControlError when it lies in another one */
function pathIn(controller: Controller, directory: string, written: string): string {
  const found = locate(controller, written);
  if (found === undefined) return written;
  if (found.directory.name === directory) return found.path;
  throw new ControlError(`"${printable(written)}" is not in ${directory}, to which this file is restored`, 2);
}

/** Restores to Main a file that only the trash of an MDS has, as one change set, and so to every MDS. */
async function toMainFrom(
  controller: Controller,
  mds: string,
  item: ListedTrash,
  {
    to,
    dryRun,
    actor,
    show,
  }: {
    readonly to: string;
    readonly dryRun: boolean;
    readonly actor: string;
    readonly show: ShowProgress;
  },
): Promise<Result<'trash-restore'>> {
  const directory = requireDirectory(controller, item.directory);
  const reason = `${dryRun ? 'would be ' : ''}restored from the trash of ${mds}`;
  const { bytes, id, type } = item;
  if (type !== 'file' && type !== 'link')
    throw new ControlError(`${item.directory}/${item.path} is a ${type}: restore its files one by one`);
  const action = type === 'link' ? ('link' as const) : ('restore' as const);
  const actions = [{ directory: directory.name, action, path: to, bytes, reason }];
  const restored = { changeSet: '', directory: directory.name, actions, by: null, problems: [], mds: [] };
  const result = { host: 'main', directory: directory.name, path: to, id, restored };
  if (dryRun) return result;
  const files = [{ path: to, item: id, bytes }];
  const taken = await takeFromMds(controller, {
    mds,
    directory,
    files,
    kind: 'restore',
    reason,
    actor,
    show,
  });
  return { ...result, restored: { ...restored, ...taken } };
}

/** Other hosts whose trash has this name, for the error message. */
function whereElse(
  items: readonly ListedTrash[],
  host: string,
  written: string,
  place: ReturnType<typeof locate>,
): string {
  const found = items.filter((each) => each.directory === place?.directory.name && each.path === place.path);
  const others = [...new Set(found.map((each) => each.host))]
    .filter((each) => each !== host && each !== 'main')
    .toSorted();
  const [first] = others;
  if (first === undefined) return ': see "xivo-xds-sync trash list"';
  return `, but that of ${others.join(', ')} does: xivo-xds-sync trash restore ${printable(written)} --from ${first} --to-main`;
}
