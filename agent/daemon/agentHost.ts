import type { Root } from '#host/config/rootPath.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Database } from '#sync/state/database.ts';
import type { DeferredWriter } from '#sync/state/deferredWriter.ts';

/** The host that the agent works on. */
export type AgentHost = {
  readonly root: Root;
  readonly clock: Clock;
  readonly log: Logger;
  /** This program's own folders. */
  readonly own: readonly string[];
  /** Size from which a file is transferred alone and can be resumed, bytes; the production value if absent. */
  readonly largeFrom?: number | undefined;
};

/** The agent's own state, and what writes it as soon as it can be written. */
export type AgentState = { readonly db: Database; readonly keeper: DeferredWriter };
