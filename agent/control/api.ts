import { MAX_CONTENT_BYTES, MAX_ITEMS } from '#protocol/limits.ts';
import { locateOrWhole } from '#core/path/locate.ts';
import { isOverride, refusePath } from '#core/path/relative.ts';
import { printable } from '#core/text/printable.ts';
import { formatBytes } from '#core/text/size.ts';
import { ControlError } from '#host/control/controlError.ts';
import { textDifference } from '#host/control/textDifference.ts';
import type { TextDifference } from '#host/control/differences.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { readBeginning } from '#host/fs/readBeginning.ts';
import { inSlices } from '#host/time/timeSlice.ts';
import { listTrash, placeInTrash } from '#sync/trash/trash.ts';
import type { Difference } from '#protocol/messages/answers.ts';
import type { Agent } from '../daemon/agent.ts';
import type { AgentDirectory } from '../directory/agentDirectory.ts';
import type { AgentHandlers, Result } from './contract.ts';

/** Number of files whose texts are compared. */
const MAX_FILES = 20;

/** The commands that a person on this MDS may send to its agent, besides status. */
export function agentApi(agent: Agent): Omit<AgentHandlers, 'status'> {
  return {
    history: (asked) => {
      const place = asked.path === undefined ? undefined : locate(agent, asked.path);
      if (asked.directory !== undefined && !agent.places.has(asked.directory))
        throw new ControlError(
          `there is no directory "${printable(asked.directory)}" (known: ${known(agent)})`,
          2,
        );
      const rows = agent.history.find({ ...asked, ...place });
      return { entries: rows.map((row) => ({ ...row, at: new Date(row.at).toISOString() })) };
    },
    'trash-list': () => trashOf(agent),
    'trash-restore': ({ path, as }, { by }) => restore(agent, path, as, by),
    why: ({ path }) => why(agent, path),
    diff: ({ path }) => diff(agent, path),
  };
}

type Located = { readonly directory: string; readonly path: string };

/** @throws ControlError that names the directories of this MDS */
function locate({ places, rooted }: Agent, written: string): Located {
  const directories = [...places].map(([name, place]) => ({
    roots: [rooted(place), place, name] as const,
    // A path inside a nested directory belongs to that one.
    nested: new Set<string>(),
    name,
  }));
  const found = locateOrWhole(directories, written);
  if (found !== undefined) return { directory: found.directory.name, path: found.path };
  throw new ControlError(
    `"${printable(written)}" is in no synchronised directory: write an absolute path, or directory/path (directories: ${[...places.keys()].join(', ')})`,
    2,
  );
}

function known({ places }: Agent): string {
  return [...places.keys()].join(', ');
}

/** A directory whose manifest has arrived. @throws ControlError while nothing is known of Main's side */
function withMain(agent: Agent, name: string): AgentDirectory {
  const directory = agent.directories.get(name);
  if (directory?.isKnown === true) return directory;
  const link = agent.link.state;
  const why =
    link.state === 'connected'
      ? 'the first comparison with Main has not ended yet: try again in a moment'
      : `this MDS has not been connected to Main since its agent started (${link.problem ?? 'connecting'}), so Main's content is not known here`;
  throw new ControlError(`${name}: ${why}`);
}

/** The time of the last known state of Main; null while connected. */
function asOf(agent: Agent, directory: AgentDirectory): string | null {
  const { state, since } = agent.link.state;
  if (state === 'connected' && directory.isComparable) return null;
  return new Date(since).toISOString();
}

async function trashOf(agent: Agent): Promise<Result<'trash-list'>> {
  const listed = await Promise.all(
    [...agent.places].map(([name, place]) =>
      inSlices(listTrash(name, agent.directories.get(name)?.replica.path ?? agent.rooted(place))),
    ),
  );
  const items = listed
    .flatMap((each) => each.items)
    .toSorted((a, b) => b.at - a.at)
    .map((item) => ({ host: agent.name, ...item, at: new Date(item.at).toISOString() }));
  return { items, problems: listed.flatMap((each) => each.problems) };
}

async function restore(
  agent: Agent,
  written: string,
  as: string | undefined,
  by: string,
): Promise<Result<'trash-restore'>> {
  const { items } = await trashOf(agent);
  const byId = items.find(({ id }) => id === written);
  const place = byId ?? locate(agent, written);
  const item = byId ?? items.find((each) => each.directory === place.directory && each.path === place.path);
  if (item === undefined)
    throw new ControlError(
      `no such file in the trash of this MDS: see "xivo-xds-sync-agent trash list"; Main's trash is listed on Main`,
    );
  const to = as === undefined ? item.path : pathIn(agent, item.directory, as);
  const refusal = refusePath(to);
  if (refusal !== undefined) throw new ControlError(`${printable(to)}: ${refusal}`, 2);
  const directory = agent.directories.get(item.directory);
  if (directory === undefined)
    throw new ControlError(
      `${item.directory} is not ready: it is once this MDS has connected to Main ("xivo-xds-sync-agent status")`,
    );
  if (directory.mainManifest.tombstones.has(to))
    throw new ControlError(
      `${item.directory}/${printable(to)} was removed on Main, and would be here again at once: on Main, xivo-xds-sync trash restore ${item.directory}/${printable(to)} --from ${agent.name} --to-main`,
    );
  await directory.restore(item.id, to);
  const reason = `restored from the trash (${item.id})`;
  const { changeSet } = placeInTrash(item.id);
  agent.history.asked(by, { directory: item.directory, changeSet, kind: 'restore', path: to, reason });
  return { directory: item.directory, path: to, id: item.id };
}

/** Another name in the same directory: a path as users write it, or only the part after the directory. */
function pathIn(agent: Agent, directory: string, written: string): string {
  try {
    const found = locate(agent, written);
    if (found.directory === directory) return found.path;
  } catch {
    return written;
  }
  throw new ControlError(`"${printable(written)}" is not in ${directory}, to which this file is restored`, 2);
}

async function why(agent: Agent, written: string): Promise<Result<'why'>> {
  const { directory: name, path } = locate(agent, written);
  const base = { name: agent.name, directory: name, path };
  if (isOverride(path)) {
    const rule = 'override (name starts with xds_override): ignored on all hosts';
    return { ...base, rule, facts: null, save: null, asOf: null };
  }
  const directory = withMain(agent, name);
  await directory.readAgain();
  const save = directory.mainManifest.saveOf(path);
  return { ...base, rule: null, facts: directory.plans.why(path), save, asOf: asOf(agent, directory) };
}

async function diff(agent: Agent, written: string | undefined): Promise<Result<'diff'>> {
  const place = written === undefined ? undefined : locate(agent, written);
  const names = place === undefined ? [...agent.places.keys()] : [place.directory];
  const differences: Difference[] = [];
  const problems: string[] = [];
  let since: string | null = null;
  for (const name of names) {
    try {
      const directory = withMain(agent, name);
      await directory.readAgain();
      since ??= asOf(agent, directory);
      differences.push(...(await directory.own.differences(place?.path || undefined)));
    } catch (error) {
      if (!(error instanceof ControlError)) problems.push(`${name}: ${errnoOf(error)}`);
      else if (place === undefined) problems.push(error.message);
      else throw error;
    }
  }
  if (place !== undefined && place.path !== '' && differences.length === 0) refuseUnknown(agent, place);
  const listed = differences.slice(0, MAX_ITEMS);
  return {
    name: agent.name,
    asOf: since,
    differences: listed.map(({ at, item, reason, ...each }) => ({
      ...each,
      at: at === undefined ? null : new Date(at).toISOString(),
      item: item ?? null,
      reason: reason ?? null,
    })),
    more: differences.length - listed.length,
    contents: place === undefined ? [] : await contentsOf(agent, listed),
    problems,
  };
}

/** @throws ControlError for a path that does not exist on either side */
function refuseUnknown(agent: Agent, { directory, path }: Located): void {
  const here = withMain(agent, directory);
  if (here.replica.get(path) !== undefined || here.mainManifest.get(path) !== undefined) return;
  throw new ControlError(`neither Main nor ${agent.name} has ${directory}/${printable(path)}`, 2);
}

/** If Main's version has been restored, the edit in the trash is compared with it. */
async function contentsOf(agent: Agent, differences: readonly Difference[]): Promise<TextDifference[]> {
  const undone = differences.filter(({ item, type }) => item !== undefined && type === 'file');
  const found: TextDifference[] = [];
  for (const { directory: name, path, item } of undone.slice(0, MAX_FILES)) {
    const directory = agent.directories.get(name);
    if (directory === undefined) continue;
    const without = (note: string): TextDifference => ({ directory: name, path, lines: [], more: 0, note });
    try {
      const edit = directory.own.content(path, item);
      const now = readBeginning(directory.replica.path, path, MAX_CONTENT_BYTES);
      const large = [edit, now].find(({ content, size }) => size > content.length);
      if (large !== undefined) found.push(without(`too large to be shown: ${formatBytes(large.size)}`));
      else if (edit.content.includes(0) || now.content.includes(0)) found.push(without('no text'));
      else
        found.push({
          directory: name,
          path,
          note: null,
          ...(await textDifference(now.content, edit.content)),
        });
    } catch (error) {
      found.push(without(`it can't be read: ${errnoOf(error)}`));
    }
  }
  return found;
}
