import { type LivePlan, dialplanShowSteps } from '../../../agent/asterisk/proof/dialplanShow.ts';
import { judgeSteps, type Witnesses } from '../../../agent/asterisk/proof/judgePlan.ts';
import type { Refusal } from '../../../agent/asterisk/reload/result.ts';
import type { PlannedPriority } from '#core/dialplan/registered.ts';
import { type DialplanReading, dialplanSteps } from '#core/dialplan/lint.ts';
import { type ContextChange, summarySteps } from '#core/dialplan/summary.ts';
import type { DialplanWorld } from '#core/dialplan/world.ts';
import { atOnce } from '#core/steps.ts';

/* What the programs do in slices, in one piece. */

export function readDialplan(world: DialplanWorld): DialplanReading {
  return atOnce(dialplanSteps(world));
}

export function readDialplanShow(output: string): LivePlan {
  return atOnce(dialplanShowSteps(output));
}

export function judgePlan(witnesses: Witnesses): Refusal | undefined {
  return atOnce(judgeSteps(witnesses)).refusal;
}

export function summarise(
  before: readonly PlannedPriority[],
  after: readonly PlannedPriority[],
): ContextChange[] {
  return atOnce(summarySteps(before, after));
}
