import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Command } from '#protocol/messages/common.ts';
import type { CommandFigures } from '#protocol/messages/session.ts';
import { toGoAt } from '../control/status/status.ts';
import { enrolledMds } from '../control/known.ts';
import { localTime } from '#host/time/localTime.ts';
import type { ArrivingBody } from '#protocol/messages/answers.ts';
import type { ControllerSession } from '../sessions/controllerSession.ts';
import type { Controller } from './controller.ts';
import { type ShowProgress, whilePassing } from './passProgress.ts';

export type MdsPass = {
  readonly name: string;
  readonly ok: boolean;
  readonly actions: readonly PlannedAction[];
  /** The data of the agent's answer, not yet checked. */
  readonly body?: ArrivingBody | undefined;
  /** The reason when not ok, as text for people. */
  readonly problems: readonly string[];
};

/**
 * One pass over every MDS (or one of them): Main scans its directories, then all agents carry out the command in
 * parallel. For a full pass they scan theirs while Main does: what they find is judged when Main knows what it has.
 * @param show receives the progress of each host
 */
export async function passOver(
  controller: Controller,
  command: Command,
  only: string | undefined,
  show: ShowProgress,
): Promise<MdsPass[]> {
  const names = enrolledMds(controller, only);
  const scans = command.do === 'reconcile' ? names.map((name) => scanAt(controller, name)) : [];
  await mainReads(controller, show);
  return Promise.all(
    names.map(async (name, number) =>
      passAt(controller, command, name, { show, scanned: await scans[number] }),
    ),
  );
}

/**
 * Has an MDS scan its directories for a pass.
 * @returns the connection over which it did; undefined when it did not, and has to in the pass itself
 */
async function scanAt({ sessions }: Controller, name: string): Promise<ControllerSession | undefined> {
  const session = sessions.get(name);
  if (session === undefined || !session.isReady || !session.capabilities.has('scan')) return undefined;
  const { ok } = await session.command({ do: 'scan' });
  return ok ? session : undefined;
}

/** Main scans its directories. */
export async function mainReads({ passes }: Controller, show: ShowProgress): Promise<void> {
  const nothing = { files: 0, filesTotal: null, bytes: 0, bytesTotal: null };
  show({ host: 'main', doing: 'scanning', ...nothing });
  await passes.rescan();
  show({ host: 'main', doing: 'done', ...nothing });
}

async function passAt(
  controller: Controller,
  command: Command,
  name: string,
  { show, scanned }: { readonly show: ShowProgress; readonly scanned: ControllerSession | undefined },
): Promise<MdsPass> {
  const session = controller.sessions.get(name);
  if (session === undefined || !session.isReady)
    return { name, ok: false, actions: [], problems: [whyAway(controller, name)] };
  // After a new connection, the agent may be another process, which has not scanned.
  const isScanned = command.do === 'reconcile' && scanned === session;
  let figures: CommandFigures | undefined;
  const { ok, lines, actions, body } = await whilePassing(
    controller.clock,
    {
      mds: name,
      doing: DOING[command.do] ?? 'comparing',
      show,
      read: () => toGoAt(controller, name),
      figures: () => figures,
    },
    () =>
      session.command(isScanned ? { ...command, isScanned } : command, (reported) => (figures = reported)),
  );
  const pass = { name, ok, actions, body, problems: lines };
  if (ok) return { ...pass, problems: [] };
  const waiting = (session.report?.directories ?? []).map(({ name: directory, held }) => ({
    directory,
    reason: held,
  }));
  return {
    ...pass,
    problems: [...lines, ...(holdsOf(pass) ?? waiting).flatMap((each) => holdText(actions, each))],
  };
}

/** Description of the work of an MDS, for people who wait for it. */
const DOING: Partial<Record<Command['do'], string>> = { verify: 'reading', plan: 'planning' };

/** What a dry run would change for callers; absent from older agents. */
export function dialplanOf({ body }: MdsPass): DialplanChanges {
  return body?.to === 'plan' ? body.dialplan : [];
}

type DialplanChanges = Extract<ArrivingBody, { to: 'plan' }>['dialplan'];

/** The message for an MDS that is not connected. */
export function whyAway({ sessions }: Controller, name: string): string {
  const seen = sessions.lastSeen.get(name);
  const since =
    seen === undefined
      ? 'it has never connected'
      : `was last seen ${localTime(new Date(seen.at).toISOString())}`;
  return `not connected (${since}): is xivo-xds-sync-agent running there?`;
}

/** Holds that a person can confirm; others (a refused change set) can not be confirmed. */
function holdText(
  actions: readonly PlannedAction[],
  { directory, reason }: { readonly directory: string; readonly reason: string | null },
): string[] {
  const isSo = actions.some(
    (each) => each.action === 'hold' && each.directory === directory && each.reason === reason,
  );
  if (reason === null || !isSo) return [];
  return [`${directory} is on hold: ${reason}. To go ahead: xivo-xds-sync confirm ${directory}`];
}

/** Holds that a dry run found; absent from older agents. */
export function holdsOf({ body }: Pick<MdsPass, 'body'>): Holds | undefined {
  return body?.to === 'plan' ? body.holds : undefined;
}

type Holds = Extract<ArrivingBody, { to: 'plan' }>['holds'];
