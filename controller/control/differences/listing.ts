import { isOverride } from '#core/path/relative.ts';
import type { Difference as Reported } from '#protocol/messages/answers.ts';
import { ControlError } from '#host/control/controlError.ts';
import { printable } from '#core/text/printable.ts';
import type { Controller } from '../../daemon/controller.ts';
import { whyAway } from '../../daemon/passes.ts';
import type { ControllerSession } from '../../sessions/controllerSession.ts';
import type { Difference } from '../contract/contract.ts';
import { enrolledMds } from '../known.ts';
import { type Located, locateOrWhole } from '../locate.ts';
import { whyNonsense } from '../nonsense.ts';

/** Most paths that a message lists. */
const MAX_NAMED = 10;

export type Listing = {
  readonly differences: Difference[];
  readonly more: number;
  readonly problems: string[];
};

/** The session of an MDS whose agent can list differences. @throws ControlError with a text for people */
export function comparable(controller: Controller, mds: string): ControllerSession {
  enrolledMds(controller, mds);
  const session = controller.sessions.get(mds);
  if (session === undefined || !session.isReady)
    throw new ControlError(`${mds}: ${whyAway(controller, mds)}`);
  if (!session.capabilities.has('differences'))
    throw new ControlError(
      `the agent on ${mds} has version ${session.agentVersion}, which can't do this: "xivo-xds-sync mds upgrade ${mds}" first`,
    );
  return session;
}

/** The directory and path of a user's input. @throws ControlError that names the directories */
export function requirePlace(controller: Controller, written: string): Located {
  const found = locateOrWhole(controller, written);
  if (found !== undefined) return found;
  throw new ControlError(
    `"${printable(written)}" is in no synchronised directory: write an absolute path, or directory/path (directories: ${[...controller.directories.keys()].join(', ')})`,
    2,
  );
}

/** The differences between an MDS and Main, at and below a path or everywhere. Main first reads its own disk. */
export async function listing(
  controller: Controller,
  mds: string,
  place: Located | undefined,
): Promise<Listing> {
  const session = comparable(controller, mds);
  await controller.passes.rescan();
  const answer = await session.command({
    do: 'differences',
    ...(place && { directory: place.directory.name }),
    ...(place && place.path !== '' && { path: place.path }),
  });
  if (!answer.ok) throw new ControlError(`${mds}: ${answer.lines.join('; ')}`);
  const { body } = answer;
  if (body?.to !== 'differences') throw new ControlError(`${mds}: ${whyNonsense(body)}`);
  const known = body.found.filter(({ directory }) => controller.directories.has(directory));
  return {
    differences: known.map(shown),
    more: body.more,
    problems: body.problems.map((each) => `${mds}: ${each}`),
  };
}

function shown({ kind, directory, path, type, bytes, at, item, reason }: Reported): Difference {
  const since = at === undefined ? null : new Date(at).toISOString();
  return { kind, directory, path, type, bytes, at: since, item: item ?? null, reason: reason ?? null };
}

/**
 * Handles a path without anything to adopt or revert.
 * @returns when both sides have the same
 * @throws ControlError otherwise; with exit code 2 when neither side has such a path
 */
export async function refuseUnknown(
  controller: Controller,
  mds: string,
  { directory, path }: Located,
): Promise<void> {
  if (path === '' || directory.replica.get(path) !== undefined || isOverride(path)) return;
  const { differences } = await listing(controller, mds, undefined);
  const names = differences.slice(0, MAX_NAMED).map((each) => printable(`${each.directory}/${each.path}`));
  const more = differences.length > names.length ? ', …' : '';
  const known =
    names.length === 0 ? 'nothing differs there' : `what differs there: ${names.join(', ')}${more}`;
  throw new ControlError(
    `neither Main nor ${mds} has ${directory.name}/${printable(path)} (${known}; see "xivo-xds-sync diff ${mds}")`,
    2,
  );
}

/** The reason when everything found is left alone. @throws ControlError */
export function refuseLeftAlone(mds: string, found: readonly Difference[], instead: string): void {
  const [first] = found;
  if (first === undefined || found.some(({ kind }) => kind !== 'override' && kind !== 'excluded')) return;
  const where = `${first.directory}/${printable(first.path)}`;
  throw new ControlError(
    first.kind === 'override'
      ? `${where} on ${mds} is an override (its name starts with xds_override): it is never read, sent or removed. ${instead}`
      : `${where} on ${mds} is excluded (${printable(first.reason ?? '')}): it is left alone on all hosts. ${instead}`,
  );
}
