import type { Command } from '#protocol/messages/common.ts';
import { linesOfBody } from '#protocol/messages/answers.ts';
import { MAX_ITEMS, MAX_PAGE_BYTES } from '#protocol/limits.ts';
import { pagesOf, whatFits } from '#protocol/pages.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';
import { stillAtWork } from '#wire/stillAtWork.ts';
import type { AgentSession } from '../connection/agentSession.ts';
import type { Answer, CommandRun, Figures } from './commands.ts';

/** Most characters of the error of a command of Main. */
const MAX_REASON = 4_000;

/** Interval at which the progress of a command is reported to Main, milliseconds. */
const FIGURES_EVERY = 500;

/**
 * Carries out a command of Main and always answers it: page by page, in the form that this version of Main understands.
 */
export async function answerCommand(
  session: AgentSession,
  { id, command }: { readonly id: number; readonly command: Command },
  carryOut: (run: CommandRun) => Promise<Answer>,
  { clock, log, signal }: { readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  const asked = AbortSignal.any([signal, session.signal]);
  try {
    const figures: Figures = { files: 0, filesTotal: 0, bytes: 0, bytesTotal: 0 };
    const saysFigures = session.mainCapabilities.has('figures');
    const say = (): void => {
      const isKnown = saysFigures && figures.bytesTotal > 0;
      session.send({ type: 'answer-part', id, actions: [], ...(isKnown && { figures: { ...figures } }) });
    };
    const every = saysFigures ? FIGURES_EVERY : undefined;
    const work = (): Promise<Answer> => carryOut({ asked, figures });
    const { ok, lines, actions, ...answer } = await stillAtWork(clock, say, work, every);
    for (const page of pagesOf(actions)) session.send({ type: 'answer-part', id, actions: page });
    const understood = session.mainCapabilities.has('answers');
    const knowsPlans = session.mainCapabilities.has('dialplan-summary');
    const body = answer.body?.to === 'plan' && !knowsPlans ? undefined : answer.body;
    const said = understood || body === undefined ? lines : linesOfBody(body);
    const named = whatFits(said, MAX_PAGE_BYTES, MAX_ITEMS);
    session.send({ type: 'answer', id, ok, lines: named, ...(understood && body && { body }) });
  } catch (error) {
    if (asked.aborted) return log.info('a command of Main ended early', { command: command.do, error });
    log.error('a command of Main failed', { command: command.do, error });
    const reason = error instanceof Error ? error.message : String(error);
    session.send({ type: 'answer', id, ok: false, lines: [reason.slice(0, MAX_REASON)] });
  }
}
