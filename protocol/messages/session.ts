import * as z from 'zod';
import { entrySchema, hashSchema, pathSchema } from '../entry.ts';
import {
  MAX_CLOCK_OFFSET_MS,
  MAX_FILE_BYTES,
  MAX_ITEMS,
  MAX_RECONCILE_MS,
  MIN_RECONCILE_MS,
} from '../limits.ts';
import { answerBody } from './answers.ts';
import {
  name,
  text,
  count,
  streamId,
  requestId,
  range,
  ownState,
  items,
  savesOfItems,
  bucketDigests,
  buckets,
  policy,
  plannedAction,
  directoryReport,
  reloadReport,
  errorReport,
  arrivingOffer,
  stepResult,
  command,
  upgradeOutcomeSchema,
  within,
} from './common.ts';
import { blocks, chunks, from, replaces } from './content.ts';

const both = [
  z.strictObject({ type: z.literal('credit'), stream: streamId, bytes: count }),
  z.strictObject({ type: z.literal('cancel'), stream: streamId, reason: text }),
  z.strictObject({ type: z.literal('pong'), sent: z.number(), time: z.number() }),
  z.strictObject({ type: z.literal('ping'), sent: z.number() }),
] as const;

/**
 * The part of hello that every version understands, so that Main can answer an agent of any version which side has to be
 * upgraded. The rest is checked by {@link helloSchema} once the versions match.
 */
const greeting = z.looseObject({ type: z.literal('hello'), protocol: range, version: text });

export const helloSchema = z.object({
  type: z.literal('hello'),
  protocol: range,
  version: text,
  /** The agent's state: Main detects a new database or an older copy. */
  state: ownState,
  directories: z.array(name).max(64),
  /** Its capabilities beyond the protocol version. */
  capabilities: z.array(z.string().max(64)).max(64).optional(),
  lastUpgrade: upgradeOutcomeSchema.optional(),
});

/** How far an agent is with a command. */
const commandFigures = z.strictObject({
  files: count,
  filesTotal: count,
  bytes: count,
  bytesTotal: count,
});

/** What an agent says to Main, as it arrives. */
export const fromAgentSchema = z.discriminatedUnion('type', [
  greeting,
  z.strictObject({ type: z.literal('want-manifest'), directory: name, have: bucketDigests }),
  z.strictObject({
    type: z.literal('get'),
    stream: streamId,
    directory: name,
    items: z
      .array(
        z.strictObject({
          path: pathSchema,
          hash: hashSchema,
          size: z.int().min(0).max(MAX_FILE_BYTES),
          from,
          base: blocks.optional(),
          chunks,
          replaces,
        }),
      )
      .max(MAX_ITEMS),
  }),
  /** Asks for the resume offset of a content on Main. */
  z.strictObject({ type: z.literal('ask-begun'), id: requestId, directory: name, hash: hashSchema }),
  z.strictObject({
    type: z.literal('offer'),
    stream: streamId,
    directory: name,
    offers: z.array(arrivingOffer).max(MAX_ITEMS),
  }),
  z.strictObject({
    type: z.literal('report'),
    sequence: count,
    directories: z.array(directoryReport).max(64),
    clockOffsetMs: z.number().min(-MAX_CLOCK_OFFSET_MS).max(MAX_CLOCK_OFFSET_MS),
    lastReconcile: z.strictObject({ at: z.string().max(64), ok: z.boolean(), durationMs: count }).nullable(),
    reloads: z.array(reloadReport).max(32),
    owedReloads: z.array(z.enum(['dialplan', 'moh'])).max(8),
    errors: z.array(errorReport).max(256),
  }),
  /** A change set became visible on this MDS, or was taken back. */
  z.strictObject({
    type: z.literal('applied'),
    directory: name,
    changeSet: z.string().min(1).max(64),
    actions: z.array(plannedAction).max(MAX_ITEMS),
    /** Summary of the change for callers, in the first part of a set. Sent only to a Main with the capability `dialplan-summary`. */
    dialplan: text.optional(),
    /** How long it took, from the request for its content to its place. Only to a Main with the capability `durations`. */
    durationMs: count.optional(),
  }),
  z.strictObject({
    type: z.literal('answer-part'),
    id: requestId,
    actions: z.array(plannedAction).max(MAX_ITEMS),
    /** How far it is. Only to a Main with the capability `figures`. */
    figures: commandFigures.optional(),
  }),
  z.strictObject({
    type: z.literal('answer'),
    id: requestId,
    ok: z.boolean(),
    /** Error message for people. An agent without the capability `answers` also puts the body here, as JSON. */
    lines: z.array(text).max(MAX_ITEMS),
    /** Only to a Main with the capability `answers`. */
    body: answerBody.optional(),
  }),
  /** The agent has written down the pin from `next-identity`. */
  z.strictObject({ type: z.literal('knows-identity'), pin: hashSchema }),
  ...both,
]);

/** What Main says to an agent. */
export const fromMainSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    protocol: count,
    version: text,
    name,
    main: ownState,
    /** The agent's state does not match the one Main knew (another database, or an older copy): no removals until a person confirms. */
    additive: z.boolean(),
    directories: z.array(policy).max(64),
    guard: z.object({ percent: z.number(), files: count }),
    reconcileEvery: within(MIN_RECONCILE_MS, MAX_RECONCILE_MS),
    paused: z.boolean(),
    /** Main's capabilities beyond the protocol version. */
    capabilities: z.array(z.string().max(64)).max(64).optional(),
  }),
  z.object({ type: z.literal('refused'), reason: text }),
  z.strictObject({ type: z.literal('begun'), id: requestId, bytes: count }),
  z.strictObject({
    type: z.literal('manifest-begin'),
    directory: name,
    revision: count,
    held: text.nullable(),
    /** Metadata of the directory itself on Main, for an MDS that has to create it. */
    root: entrySchema.nullable(),
    /** The buckets whose paths follow, of those that the agent has named; what is in the others is equal. */
    replaces: buckets,
  }),
  z.strictObject({ type: z.literal('manifest-page'), directory: name, items, saves: savesOfItems }),
  z.strictObject({
    type: z.literal('manifest-end'),
    directory: name,
    revision: count,
    sequence: count,
    /** Of the whole manifest, clocks included. Only to an agent that has said what it has. */
    digest: hashSchema.optional(),
  }),
  z.strictObject({
    type: z.literal('changes'),
    directory: name,
    /** The revision that these changes apply to; an agent at another revision asks for the whole manifest. */
    from: count,
    revision: count,
    /** Main's state after this change. */
    sequence: count,
    held: text.nullable(),
    items,
    saves: savesOfItems,
  }),
  /**
   * A folder of Main has this name now; the changes of its files follow. Only to an agent with the capability `folder-renames`,
   * which may ignore it.
   */
  z.strictObject({
    type: z.literal('folder-renamed'),
    directory: name,
    from: pathSchema,
    to: pathSchema,
  }),
  z.strictObject({
    type: z.literal('check'),
    directory: name,
    revision: count,
    sequence: count,
    digest: hashSchema,
  }),
  z.strictObject({
    type: z.literal('offer-result'),
    stream: streamId,
    results: z.array(stepResult).max(MAX_ITEMS),
  }),
  z.strictObject({ type: z.literal('command'), id: requestId, command }),
  z.strictObject({ type: z.literal('paused'), paused: z.boolean() }),
  /** The pin of the key that Main is about to switch to. */
  z.strictObject({ type: z.literal('next-identity'), pin: hashSchema }),
  ...both,
]);

export type Hello = z.infer<typeof helloSchema>;
export type ArrivingFromAgent = z.infer<typeof fromAgentSchema>;
/** What an agent says to Main. */
export type FromAgent = Hello | Exclude<ArrivingFromAgent, { type: 'hello' }>;
export type FromMain = z.infer<typeof fromMainSchema>;
export type AgentReport = Extract<FromAgent, { type: 'report' }>;
export type CommandFigures = z.infer<typeof commandFigures>;
