import type { PlannedAction } from '#protocol/messages/common.ts';

/** What an agent's directory tells the daemon. */
export interface DirectoryEvents {
  /** Writes into the state, now or as soon as it can be written. */
  remember(write: () => void): void;
  /** Something to report changed. */
  news(): void;
  /** A change set became visible. Called inside the transaction that records it. */
  applied(): void;
  /** A change set was carried out, for the history. @param durationMs how long it took */
  done(changeSet: string, actions: readonly PlannedAction[], durationMs?: number): void;
  /** Something changed on this MDS that was not put there by this program. */
  changedHere(): void;
}
