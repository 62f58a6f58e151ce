import * as z from 'zod';
import { whyFacts } from '#protocol/messages/answers.ts';
import { difference, textDifference } from '#host/control/differences.ts';
import { historyEntry, historyFilter, trashItem } from '#host/control/past.ts';
import type { Contract, DeepReadonly, Handlers, ResultOf } from '#host/control/contract.ts';

const time = z.string();
const count = z.number().min(0);

/** A path as users write it: absolute, or directory/path. */
const writtenPath = z.string().max(16_384);
/** The time of the last known state of Main; null while connected. */
const asOf = time.nullable();

const link = z.object({
  state: z.enum(['connecting', 'connected']),
  /** Why it is not connected. */
  problem: z.string().optional(),
  /** Milliseconds since 1970. */
  since: z.number(),
});

const status = z.object({
  name: z.string(),
  version: z.string(),
  link,
  directories: z.array(
    z.object({
      name: z.string(),
      /** Its path on this disk. */
      path: z.string().optional(),
      files: count,
      bytes: count,
      pending: count,
      localOnly: count,
      held: z.string().nullable(),
      digest: z.string(),
      /** Paths that are not synchronised with Main, and why. */
      skipped: z.array(z.object({ path: z.string(), reason: z.string() })).optional(),
    }),
  ),
  /** True while a person on Main has paused synchronisation; known while connected. */
  paused: z.boolean().optional(),
  clockOffsetMs: z.number().optional(),
  lastReconcile: z.object({ at: time, ok: z.boolean(), durationMs: count }).nullable().optional(),
  reloads: z.array(
    z.object({ kind: z.string(), at: time, ok: z.boolean(), durationMs: count, output: z.string() }),
  ),
  owedReloads: z.array(z.string()),
  errors: z.array(z.object({ at: time, path: z.string(), message: z.string() })),
  /** Problems that need a person, although nothing waits for one. */
  alarms: z.array(z.object({ at: time, message: z.string(), times: count })).optional(),
});

/** The commands of the control socket of the agent. */
export const agentContract = {
  status: { args: z.object({}), result: status },
  history: { args: z.object(historyFilter), result: z.object({ entries: z.array(historyEntry) }) },
  'trash-list': {
    args: z.object({}),
    result: z.object({ items: z.array(trashItem), problems: z.array(z.string()) }),
  },
  'trash-restore': {
    args: z.object({ path: writtenPath, as: writtenPath.optional() }),
    result: z.object({ directory: z.string(), path: z.string(), id: z.string() }),
  },
  why: {
    args: z.object({ path: writtenPath }),
    result: z.object({
      name: z.string(),
      directory: z.string(),
      path: z.string(),
      /** An override or an excluded name: the same on every host. */
      rule: z.string().nullable(),
      facts: whyFacts.nullable(),
      /** The save on Main that the file came by, as Main's history names it. */
      save: z.string().nullable(),
      asOf,
    }),
  },
  diff: {
    args: z.object({ path: writtenPath.optional() }),
    result: z.object({
      name: z.string(),
      asOf,
      differences: z.array(difference),
      /** Number of entries that are not listed. */
      more: count,
      /** For edits at or below the given path that Main's version replaced; empty without one. */
      contents: z.array(textDifference),
      problems: z.array(z.string()),
    }),
  },
} satisfies Contract;

export type AgentContract = typeof agentContract;
export type AgentHandlers = Handlers<AgentContract>;
export type AgentCommand = keyof AgentContract;
/** The result of a command. */
export type Result<N extends AgentCommand> = DeepReadonly<ResultOf<AgentContract, N>>;
export type AgentStatus = Result<'status'>;

/** The only command sent to an agent that may have another version than this program. */
export const anyAgentContract = {
  status: {
    args: z.object({}),
    result: z.object({
      version: z.string().optional(),
      link: z.object({ state: z.string(), problem: z.string().optional() }),
    }),
  },
} satisfies Contract;
