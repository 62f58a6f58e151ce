import { type LivePlan, dialplanShowSteps } from '../../../agent/asterisk/proof/dialplanShow.ts';
import { judgeSteps, type Witnesses } from '../../../agent/asterisk/proof/judgePlan.ts';
import type { Refusal } from '../../../agent/asterisk/reload/result.ts';
import type { PlannedPriority } from '#core/dialplan/registered.ts';
import { type DialplanReading, dialplanSteps } from '#core/dialplan/lint.ts';
import { type ContextChange, summarySteps } from '#core/dialplan/summary.ts';
import type { DialplanWorld } from '#core/dialplan/world.ts';
import type { Steps } from '#core/steps.ts';

/* What the programs do in slices, in one piece. */

function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

export function readDialplan(world: DialplanWorld): DialplanReading {
  return finish(dialplanSteps(world));
}

export function readDialplanShow(output: string): LivePlan {
  return finish(dialplanShowSteps(output));
}

export function judgePlan(witnesses: Witnesses): Refusal | undefined {
  return finish(judgeSteps(witnesses)).refusal;
}

export function summarise(
  before: readonly PlannedPriority[],
  after: readonly PlannedPriority[],
): ContextChange[] {
  return finish(summarySteps(before, after));
}
