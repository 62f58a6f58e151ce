import type { PlannedAction } from '#protocol/messages/common.ts';
import type { ConditionEvents } from '../conditions/tracker.ts';

/** Observers of events: the metrics and the notifications. */
export interface Observer {
  /** A change set became visible on an MDS. */
  applied(mds: string, directory: string, actions: readonly PlannedAction[]): void;
  /** An MDS reported that it has a change. @param ms since the change was made on Main */
  delivered(directory: string, ms: number): void;
  /** Asterisk of an MDS was reloaded. @param activeAfterMs since the change on Main, if the reload was for one */
  reloaded(mds: string, kind: string, ok: boolean, activeAfterMs: number | undefined): void;
  /** Both sides changed a recording; the older version is in Main's trash. */
  conflict(mds: string, directory: string, path: string): void;
}

/** Who is notified of what happens on Main and the MDS. */
export type Observers = {
  readonly events: Observer;
  /** Notified of conditions that begin and end, in addition to the log. */
  readonly conditions?: ConditionEvents;
};

/** Passes every event to each observer. */
export function observedBy(observers: readonly Observer[]): Observer {
  return {
    applied: (mds, directory, actions) => observers.forEach((each) => each.applied(mds, directory, actions)),
    delivered: (directory, ms) => observers.forEach((each) => each.delivered(directory, ms)),
    reloaded: (mds, kind, ok, after) => observers.forEach((each) => each.reloaded(mds, kind, ok, after)),
    conflict: (mds, directory, path) => observers.forEach((each) => each.conflict(mds, directory, path)),
  };
}
