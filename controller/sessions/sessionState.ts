/** From the connection to its end: only `ready` does what it is asked to. */
export type SessionState = 'greeting' | 'ready' | 'closing' | 'closed';

/** The agent was welcomed; this side ends the connection; the connection has ended. */
export type SessionEvent = 'welcomed' | 'close' | 'ended';

/** The state after an event. What comes too late changes nothing: an end is an end. */
export function transition(state: SessionState, event: SessionEvent): SessionState {
  if (event === 'ended' || state === 'closed') return 'closed';
  if (event === 'close') return 'closing';
  return state === 'greeting' ? 'ready' : state;
}
