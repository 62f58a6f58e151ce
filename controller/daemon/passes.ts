import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Command } from '#protocol/messages/common.ts';
import { enrolledMds } from '../control/known.ts';
import type { ArrivingBody } from '#protocol/messages/answers.ts';
import type { Controller } from './controller.ts';

export type MdsPass = {
  readonly name: string;
  readonly ok: boolean;
  readonly actions: readonly PlannedAction[];
  /** What the agent answered beyond that; it may make no sense. */
  readonly body?: ArrivingBody | undefined;
  /** Why it is not ok, for people. */
  readonly problems: readonly string[];
};

/**
 * One pass over every MDS (or one of them): Main reads its directories again, then every agent does what it is
 * told at the same time.
 */
export async function passOver(controller: Controller, command: Command, only?: string): Promise<MdsPass[]> {
  const names = enrolledMds(controller, only);
  await controller.passes.rescan();
  return Promise.all(names.map((name) => passAt(controller, command, name)));
}

async function passAt(controller: Controller, command: Command, name: string): Promise<MdsPass> {
  const session = controller.sessions.get(name);
  if (session === undefined || !session.isReady)
    return { name, ok: false, actions: [], problems: [whyAway(controller, name)] };
  const { ok, lines, actions, body } = await session.command(command);
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

/** What a dry run would change for callers; an older agent does not say. */
export function dialplanOf({ body }: MdsPass): DialplanChanges {
  return body?.to === 'plan' ? body.dialplan : [];
}

type DialplanChanges = Extract<ArrivingBody, { to: 'plan' }>['dialplan'];

/** What to say of an MDS that is not connected. */
export function whyAway({ sessions }: Controller, name: string): string {
  const seen = sessions.lastSeen.get(name);
  const since =
    seen === undefined
      ? 'was not seen since Main started'
      : `was last seen ${new Date(seen.at).toISOString()}`;
  return `not connected (${since}): is xivo-xds-sync-agent running there?`;
}

/** What waits for a person: other holds (a refused change set) are not there to be confirmed. */
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

/** What waits for a person by a dry run; an older agent does not say. */
export function holdsOf({ body }: Pick<MdsPass, 'body'>): Holds | undefined {
  return body?.to === 'plan' ? body.holds : undefined;
}

type Holds = Extract<ArrivingBody, { to: 'plan' }>['holds'];
