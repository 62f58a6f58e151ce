import { bothWays, movesIn } from '../../../agent/directory/jobs/moves.ts';
import { type Job, schedule, type ScheduleInput } from '../../../agent/directory/jobs/schedule.ts';

/** The jobs that start when what is ready is the whole plan. */
export function scheduled(input: Omit<ScheduleInput, 'moves' | 'live'> & Partial<ScheduleInput>): Job[] {
  return schedule({ live: new Set(), moves: bothWays(movesIn(input.ready)), ...input });
}
