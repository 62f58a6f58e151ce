import type { PlannedAction } from '#protocol/messages/common.ts';

export type Done = {
  /** The saves on Main that the paths came by; null where one is not known. */
  readonly saves: { saveOf(path: string): string | null };
  /** Duration, milliseconds. */
  readonly durationMs: number | undefined;
};

/** What an agent's directory tells the daemon. */
export interface DirectoryEvents {
  /** Writes into the state, now or as soon as it can be written. */
  remember(write: () => void): void;
  /** Something to report changed. */
  news(): void;
  /** A change set became visible. Called inside the transaction that records it. */
  applied(): void;
  /** A change set was carried out, for the history. */
  done(changeSet: string, actions: readonly PlannedAction[], how: Done): void;
  /** Something changed on this MDS that was not put there by this program. */
  changedHere(): void;
}
