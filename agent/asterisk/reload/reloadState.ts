import { BUSY_RETRY_MS, BUSY_TRIES, FIRST_RETRY_MS, LONGEST_RETRY_MS } from './limits.ts';

/**
 * State of the reload of one kind. `failures` counts successive attempts without an answer, `busy` those answered with
 * "already in progress".
 */
export type ReloadState =
  | { readonly name: 'idle' }
  /** `again`: another request came after this reload had started, so its answer does not cover that request. */
  | { readonly name: 'running'; readonly again: boolean; readonly failures: number; readonly busy: number }
  | { readonly name: 'waiting'; readonly failures: number; readonly busy: number }
  | { readonly name: 'closed'; readonly isPending: boolean };

export type ReloadEvent =
  | { readonly type: 'requested' }
  | { readonly type: 'answered'; readonly how: 'final' | 'busy' | 'away' }
  | { readonly type: 'due' }
  | { readonly type: 'closed' };

/** Effects of a transition; `settle`, which resolves the requests that this answer covers, comes first. */
export type ReloadStep = {
  readonly state: ReloadState;
  readonly settle?: true;
  readonly start?: true;
  /** Milliseconds until the event `due`; replaces an earlier wait. */
  readonly wait?: number;
};

/** The transitions of a reload: at most one runs, and requests during it cause exactly one more. */
export function transition(state: ReloadState, event: ReloadEvent): ReloadStep {
  if (state.name === 'closed') return { state };
  if (event.type === 'closed') return { state: { name: 'closed', isPending: state.name !== 'idle' } };
  if (state.name === 'idle') return event.type === 'requested' ? start(0, 0) : { state };
  if (state.name === 'waiting') {
    if (event.type === 'due') return start(state.failures, state.busy);
    // A new request is made at once, since Asterisk may be back. While it is busy, the wait is short anyway.
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
    // The requests keep waiting: a reload that did not start has no answer. The next attempt covers `again`, too.
    return {
      state: { name: 'waiting', failures: state.failures, busy: state.busy + 1 },
      wait: BUSY_RETRY_MS,
    };
  }
  const failures = state.failures + 1;
  // `again` needs an attempt of its own now, or its caller would wait for the whole delay.
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

/** Whether a reload is pending in this state. */
export function isPending(state: ReloadState): boolean {
  return state.name === 'closed' ? state.isPending : state.name !== 'idle';
}
