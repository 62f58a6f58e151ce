import { BUSY_RETRY_MS, BUSY_TRIES, FIRST_RETRY_MS, LONGEST_RETRY_MS } from './limits.ts';

/**
 * Where the reload of one kind stands. `failures` counts tries in a row that Asterisk did not answer, `busy`
 * those that it answered with "already in progress".
 */
export type ReloadState =
  | { readonly name: 'idle' }
  /** `again`: somebody asked after this one had started, so its answer does not cover them. */
  | { readonly name: 'running'; readonly again: boolean; readonly failures: number; readonly busy: number }
  | { readonly name: 'waiting'; readonly failures: number; readonly busy: number }
  | { readonly name: 'closed'; readonly isPending: boolean };

export type ReloadEvent =
  | { readonly type: 'requested' }
  | { readonly type: 'answered'; readonly how: 'final' | 'busy' | 'away' }
  | { readonly type: 'due' }
  | { readonly type: 'closed' };

/** What is to be done after a transition; `settle` first: whoever waited for this answer gets it. */
export type ReloadStep = {
  readonly state: ReloadState;
  readonly settle?: true;
  readonly start?: true;
  /** Milliseconds until the event `due`. A wait that was begun earlier is over. */
  readonly wait?: number;
};

/** The whole behaviour of a reload: at most one runs, a request meanwhile causes exactly one more. */
export function transition(state: ReloadState, event: ReloadEvent): ReloadStep {
  if (state.name === 'closed') return { state };
  if (event.type === 'closed') return { state: { name: 'closed', isPending: state.name !== 'idle' } };
  if (state.name === 'idle') return event.type === 'requested' ? start(0, 0) : { state };
  if (state.name === 'waiting') {
    if (event.type === 'due') return start(state.failures, state.busy);
    // A fresh request asks at once: Asterisk may be back. While it is busy, the wait is short anyway.
    return event.type === 'requested' && state.busy === 0 ? start(state.failures, 0) : { state };
  }
  if (event.type === 'requested') return { state: { ...state, again: true } };
  return event.type === 'answered' ? answered(state, event.how) : { state };
}

function answered(
  state: Extract<ReloadState, { name: 'running' }>,
  how: 'final' | 'busy' | 'away',
): ReloadStep {
  if (how === 'final') {
    return state.again ? { ...start(0, 0), settle: true } : { state: { name: 'idle' }, settle: true };
  }
  if (how === 'busy' && state.busy + 1 < BUSY_TRIES) {
    // Whoever waits goes on waiting: a reload that was never begun has no answer. The next try covers `again` too.
    return {
      state: { name: 'waiting', failures: state.failures, busy: state.busy + 1 },
      wait: BUSY_RETRY_MS,
    };
  }
  const failures = state.failures + 1;
  // `again` needs a try of its own now, or its caller would wait for the whole pause.
  if (state.again) return { ...start(failures, 0), settle: true };
  return { state: { name: 'waiting', failures, busy: 0 }, wait: pause(failures), settle: true };
}

function start(failures: number, busy: number): ReloadStep {
  return { state: { name: 'running', again: false, failures, busy }, start: true };
}

/** Doubles from FIRST_RETRY_MS up to LONGEST_RETRY_MS. */
function pause(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 16));
}

/** Whether Asterisk still has to read something again, as far as this state knows. */
export function isPending(state: ReloadState): boolean {
  return state.name === 'closed' ? state.isPending : state.name !== 'idle';
}
