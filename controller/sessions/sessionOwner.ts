import type { AgentReport, FromAgent, FromMain, Hello } from '#protocol/messages/session.ts';
import type { OnCommit } from '#sync/apply/applierOptions.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import type { Delivery } from './lag.ts';
import type { Pruning } from './prunings.ts';
import type { Grant } from './offers/grant.ts';

/** Settings that Main sends to the agent. */
export type Terms = Omit<Extract<FromMain, { type: 'welcome' }>, 'type' | 'protocol' | 'version' | 'name'>;

/** What an owner uses of its session. */
export type OwnedSession = {
  readonly name: string;
  readonly address: string;
  readonly agentVersion: string;
  /** Sends the agent the pin of Main's next key. */
  announceNextPin(pin: string): void;
};

/** The owner of a session, which handles the agent's messages with Main's state. */
export interface SessionOwner {
  /** Main's current state. */
  sequence(): number;
  /** Why a directory is held for this MDS alone; null when it is not. */
  hold(directory: string): string | null;
  terms(hello: Hello): Terms;
  /** Records an accepted offer, in the transaction that ends its change set. */
  recorder(directory: MainDirectory, conflicts: ReadonlySet<string>, grant?: Grant): OnCommit;
  ready(session: OwnedSession): void;
  /** @param pruning the command of a person that the agent reports about */
  applied(applied: Extract<FromAgent, { type: 'applied' }>, pruning: Pruning | undefined): void;
  /** @param delivered Main's changes that this report confirms as delivered */
  reported(report: AgentReport, delivered: readonly Delivery[]): void;
  /** The agent has stored the pin of Main's next key. */
  knowsIdentity(pin: string): void;
  closed(session: OwnedSession, reason: string): void;
}
