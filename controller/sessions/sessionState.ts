/** The states of a session. Messages are handled only in `ready`. */
export type SessionState = 'greeting' | 'ready' | 'closing' | 'closed';

/** Events: the agent was welcomed; this side ends the connection; the connection has ended. */
export type SessionEvent = 'welcomed' | 'close' | 'ended';

/** The state after an event. A late event changes nothing: an ended session stays ended. */
export function transition(state: SessionState, event: SessionEvent): SessionState {
  if (event === 'ended' || state === 'closed') return 'closed';
  if (event === 'close') return 'closing';
  return state === 'greeting' ? 'ready' : state;
}
