import { z } from 'zod';
import { entrySchema, hashSchema, nanosecondsSchema, pathSchema } from './entry.ts';
import { MAX_BLOCKS, MAX_FILE_BYTES, MAX_ITEMS, MAX_PACKAGE_BYTES, MAX_TEXT } from './limits.ts';

const name = z.string().min(1).max(64);
const text = z.string().max(MAX_TEXT);
const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const streamId = z.int().min(1).max(0xffff_ffff);
const requestId = z.int().min(1).max(0xffff_ffff);
/*
 * What is said before both sides know which version they speak (hello, welcome, refused, and everything about
 * enrolment) is `z.object`: what a newer side adds there is not read, and no reason to hang up. All else is strict.
 */
const range = z.object({ oldest: count, newest: count });

/**
 * A side's state: which one it is, how often it changed, and the runs of the program that had it, oldest first, each
 * with the sequence at its start. The other side notices when it is another one, or an older copy of it.
 */
const ownState = z.object({
  stateId: text,
  sequence: count,
  runs: z
    .array(z.object({ id: z.string().max(64), from: count }))
    .max(256)
    .optional(),
});

/** What the other side shows at a path. */
const shown = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('settled'),
    entry: entrySchema,
    /**
     * The clock that gave the file its mtime, minus Main's, nanoseconds, where it was another than Main's and not
     * right. Only to an agent with the capability `clocks`.
     */
    clock: nanosecondsSchema.optional(),
  }),
  z.strictObject({ kind: z.literal('moving') }),
  z.strictObject({ kind: z.literal('special'), what: text }),
  z.strictObject({ kind: z.literal('unreadable'), errno: text }),
  z.strictObject({ kind: z.literal('gone'), tombstone: entrySchema.optional() }),
]);
const item = z.strictObject({ path: pathSchema, shown });
const items = z.array(item).max(MAX_ITEMS);

const policy = z.object({
  name,
  direction: z.enum(['to-mds', 'both']),
  deletions: z.enum(['main', 'both', 'never']),
  settle: count,
  reload: z.enum(['dialplan', 'moh', 'none']),
  reloadAlways: z.boolean(),
  lint: z.enum(['block', 'warn', 'off']),
});

const plannedAction = z.strictObject({
  directory: name,
  action: z.enum(['send', 'receive', 'remove', 'restore', 'mkdir', 'link', 'hold', 'skip', 'conflict']),
  path: z.string().max(8192),
  bytes: count,
  reason: text,
});

const directoryReport = z.strictObject({
  name,
  /** The revision of Main's manifest that this report is about. */
  revision: count,
  files: count,
  bytes: count,
  pending: count,
  localOnly: count,
  held: z.string().max(MAX_TEXT).nullable(),
  digest: hashSchema,
});

const reloadReport = z.strictObject({
  kind: z.enum(['dialplan', 'moh']),
  at: z.string().max(64),
  ok: z.boolean(),
  durationMs: count,
  output: text,
});

const errorReport = z.strictObject({ at: z.string().max(64), path: z.string().max(8192), message: text });

/** The first bytes that the receiver has already, since an earlier transfer of the content broke off. */
const from = z.int().min(1).max(MAX_FILE_BYTES).optional();

/** What the receiver has in the place of a file (shared/sync/transfer/blocks.ts): only what differs is sent. */
const blocks = z.strictObject({
  block: z
    .int()
    .min(4096)
    .max(2 ** 32),
  hashes: z.array(z.string().regex(/^[0-9a-f]{32}$/)).max(MAX_BLOCKS),
});

/** One thing the agent puts on Main: content that follows on the stream, metadata, or a removal. */
const offer = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('put'),
    path: pathSchema,
    entry: entrySchema,
    expect: entrySchema.nullable(),
    conflict: z.boolean(),
    reason: text,
    from,
  }),
  z.strictObject({ op: z.literal('keep'), path: pathSchema, entry: entrySchema, reason: text, from }),
  z.strictObject({
    op: z.literal('metadata'),
    path: pathSchema,
    entry: entrySchema,
    expect: entrySchema,
    reason: text,
  }),
  z.strictObject({ op: z.literal('remove'), path: pathSchema, expect: entrySchema, reason: text }),
]);

const stepResult = z.strictObject({
  path: pathSchema,
  result: z.enum(['done', 'stale', 'failed', 'refused']),
  detail: text.optional(),
});

/** An agent package of Main's, and Main's signature under it (shared/host/identity/packageSignature.ts). */
export const packageOfferSchema = z.strictObject({
  /** As Debian writes versions. */
  version: z.string().regex(/^[0-9][A-Za-z0-9.+~-]{0,63}$/),
  size: z.int().min(1).max(MAX_PACKAGE_BYTES),
  sha256: hashSchema,
  /** Main's public key: base64 of its DER SubjectPublicKeyInfo. */
  mainKey: z.base64().max(512),
  signature: z.base64().max(512),
});

/** What became of the last upgrade on an MDS. */
export const upgradeOutcomeSchema = z.object({
  at: z.string().max(64),
  /** The package that it was about. */
  sha256: hashSchema,
  version: z.string().max(64),
  ok: z.boolean(),
  reason: text,
});

/** What Main may ask an agent to do. */
const command = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('reconcile') }),
  z.strictObject({ do: z.literal('plan') }),
  z.strictObject({ do: z.literal('why'), directory: name, path: pathSchema }),
  z.strictObject({ do: z.literal('verify') }),
  z.strictObject({ do: z.literal('confirm'), directory: name }),
  z.strictObject({ do: z.literal('trash-list') }),
  z.strictObject({
    do: z.literal('trash-restore'),
    directory: name,
    item: z.string().min(1).max(128),
    to: pathSchema,
  }),
  /** Only to an agent with the capability `upgrade`. */
  z.strictObject({ do: z.literal('upgrade'), offer: packageOfferSchema }),
]);

const both = [
  z.strictObject({ type: z.literal('credit'), stream: streamId, bytes: count }),
  z.strictObject({ type: z.literal('cancel'), stream: streamId, reason: text }),
  z.strictObject({ type: z.literal('pong'), sent: z.number(), time: z.number() }),
  z.strictObject({ type: z.literal('ping'), sent: z.number() }),
] as const;

/**
 * All of hello that every version has to understand: by it Main tells an agent of whatever version which side to
 * upgrade. The rest is for {@link helloSchema}, once it is known that both speak the same.
 */
const greeting = z.looseObject({ type: z.literal('hello'), protocol: range, version: text });

export const helloSchema = z.object({
  type: z.literal('hello'),
  protocol: range,
  version: text,
  /** The agent's state: Main notices when it is another one, or older, than before. */
  state: ownState,
  directories: z.array(name).max(64),
  /** What it can do beyond its protocol version. */
  capabilities: z.array(z.string().max(64)).max(64).optional(),
  lastUpgrade: upgradeOutcomeSchema.optional(),
});

/** What an agent says to Main, as it arrives. */
export const fromAgentSchema = z.discriminatedUnion('type', [
  greeting,
  z.strictObject({ type: z.literal('want-manifest'), directory: name }),
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
        }),
      )
      .max(MAX_ITEMS),
  }),
  /** How much of a content is on Main since its transfer broke off? */
  z.strictObject({ type: z.literal('ask-begun'), id: requestId, directory: name, hash: hashSchema }),
  z.strictObject({
    type: z.literal('offer'),
    stream: streamId,
    directory: name,
    offers: z.array(offer).max(MAX_ITEMS),
  }),
  z.strictObject({
    type: z.literal('report'),
    sequence: count,
    directories: z.array(directoryReport).max(64),
    clockOffsetMs: z.number(),
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
  }),
  z.strictObject({
    type: z.literal('answer-part'),
    id: requestId,
    actions: z.array(plannedAction).max(MAX_ITEMS),
  }),
  z.strictObject({
    type: z.literal('answer'),
    id: requestId,
    ok: z.boolean(),
    lines: z.array(text).max(MAX_ITEMS),
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
    /** Main knew another state of this agent, or a newer one: nothing is removed before a person confirms. */
    additive: z.boolean(),
    directories: z.array(policy).max(64),
    guard: z.object({ percent: z.number(), files: count }),
    reconcileEvery: count,
    paused: z.boolean(),
  }),
  z.object({ type: z.literal('refused'), reason: text }),
  z.strictObject({ type: z.literal('begun'), id: requestId, bytes: count }),
  z.strictObject({
    type: z.literal('manifest-begin'),
    directory: name,
    revision: count,
    held: text.nullable(),
    /** How the directory itself looks on Main, for an MDS that has to make it. */
    root: entrySchema.nullable(),
  }),
  z.strictObject({ type: z.literal('manifest-page'), directory: name, items }),
  z.strictObject({
    type: z.literal('manifest-end'),
    directory: name,
    revision: count,
    sequence: count,
  }),
  z.strictObject({
    type: z.literal('changes'),
    directory: name,
    /** Follows on this revision; an agent that holds another one asks for the whole manifest. */
    from: count,
    revision: count,
    /** Main's state after this change. */
    sequence: count,
    held: text.nullable(),
    items,
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
  /** Main will soon have another key: the pin by which to know it then. */
  z.strictObject({ type: z.literal('next-identity'), pin: hashSchema }),
  ...both,
]);

/**
 * Outside a session, where no certificate is needed: `enrol` asks to become an agent, `renew` asks for a certificate
 * for a key that is an agent's already (or waits to be), `leave` ends that.
 */
export const enrolRequestSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('enrol'),
    protocol: range,
    name,
    token: z.object({ id: z.string().max(64), proof: z.string().max(512) }).optional(),
  }),
  z.object({
    type: z.literal('renew'),
    protocol: range,
    name,
    /** The pin from `nextIdentity` that the agent has written down. */
    knowsIdentity: hashSchema.optional(),
  }),
  z.object({ type: z.literal('leave'), protocol: range, name }),
]);

export const enrolAnswerSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('enrolled'),
    name,
    certificate: z.string().max(16_384),
    directories: z.array(z.object({ name, path: z.string().max(4096) })).max(64),
  }),
  z.object({
    type: z.literal('pending'),
    fingerprint: text,
    /** Main will soon have another key: the pin by which to know it then. */
    nextIdentity: hashSchema.optional(),
  }),
  z.object({ type: z.literal('left') }),
  z.object({ type: z.literal('refused'), reason: text }),
]);

export type PackageOffer = Readonly<z.infer<typeof packageOfferSchema>>;
export type UpgradeOutcome = Readonly<z.infer<typeof upgradeOutcomeSchema>>;
export type Hello = z.infer<typeof helloSchema>;
export type ArrivingFromAgent = z.infer<typeof fromAgentSchema>;
/** What an agent says to Main. */
export type FromAgent = Hello | Exclude<ArrivingFromAgent, { type: 'hello' }>;
export type FromMain = z.infer<typeof fromMainSchema>;
export type EnrolRequest = z.infer<typeof enrolRequestSchema>;
export type EnrolAnswer = z.infer<typeof enrolAnswerSchema>;
export type ManifestItem = z.infer<typeof item>;
export type Shown = z.infer<typeof shown>;
export type DirectoryPolicy = z.infer<typeof policy>;
export type PlannedAction = z.infer<typeof plannedAction>;
export type AgentReport = Extract<FromAgent, { type: 'report' }>;
export type DirectoryReport = z.infer<typeof directoryReport>;
export type ReloadReport = z.infer<typeof reloadReport>;
export type ErrorReport = z.infer<typeof errorReport>;
export type Offer = z.infer<typeof offer>;
export type StepResult = z.infer<typeof stepResult>;
export type Command = z.infer<typeof command>;
