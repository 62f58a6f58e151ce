import * as z from 'zod';
import { entrySchema, hashSchema, nanosecondsSchema, pathSchema } from '../entry.ts';
import {
  MAX_BUCKETS,
  SHORT_DIGEST_CHARACTERS,
  MAX_ITEMS,
  MAX_PACKAGE_BYTES,
  MAX_SETTLE_MS,
  MAX_SKIPPED,
  MAX_TEXT,
} from '../limits.ts';
import { from } from './content.ts';

export const name = z.string().min(1).max(64);
export const text = z.string().max(MAX_TEXT);
export const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
export const streamId = z.int().min(1).max(0xffff_ffff);
export const requestId = z.int().min(1).max(0xffff_ffff);
/*
 * Messages exchanged before the version is agreed (hello, welcome, refused and all of enrolment) are `z.object`:
 * fields that a newer version adds are ignored and do not end the connection. All other messages are strict.
 */
/** A timer in milliseconds; a value out of range is clamped. */
export function within(least: number, most: number): z.ZodType<number, number> {
  return count.transform((milliseconds) => Math.min(Math.max(milliseconds, least), most));
}

export const range = z.object({ oldest: count, newest: count });

/**
 * Identifies a side's state database: its id, its sequence number, and the runs of the program that used it, oldest
 * first, each with the sequence at its start. By this the other side detects a new database or an older copy.
 */
export const ownState = z.object({
  stateId: text,
  sequence: count,
  runs: z
    .array(z.object({ id: z.string().max(64), from: count }))
    .max(256)
    .optional(),
});

/** One path in the other side's manifest. */
export const shown = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('settled'),
    entry: entrySchema,
    /**
     * Offset of the clock that gave the file its mtime, minus Main's, nanoseconds; absent for Main's own clock and for
     * clocks without an offset. Sent only to an agent with the capability `clocks`.
     */
    clock: nanosecondsSchema.optional(),
  }),
  z.strictObject({ kind: z.literal('moving') }),
  z.strictObject({ kind: z.literal('special'), what: text }),
  z.strictObject({ kind: z.literal('unreadable'), errno: text }),
  z.strictObject({ kind: z.literal('gone'), tombstone: entrySchema.optional() }),
]);
/**
 * One path of a manifest. An item that this version does not understand affects only its own path: it counts as
 * something that does not travel, so nothing is concluded from it. An invalid path is read as ''.
 */
export const item = z.strictObject({ path: pathSchema, shown }).catch(({ input, error }) => ({
  path: pathSchema.safeParse(pathIn(input)).data ?? '',
  shown: {
    kind: 'special',
    what: `something that this version does not understand (${whatIsWrong(error.issues)})`,
  },
}));
export const items = z.array(item).max(MAX_ITEMS);

/**
 * By which saves of Main's the items of a message came, so that both sides name a save by one id: for each item the place
 * of its save in `ids`, or -1. Only to an agent with the capability `saves`; what makes no sense names none.
 */
export const savesOfItems = z
  .strictObject({
    ids: z.array(z.string().min(1).max(64)).max(MAX_ITEMS),
    of: z.array(z.int().min(-1).max(MAX_ITEMS)).max(MAX_ITEMS),
  })
  .optional()
  .catch(undefined);
export type SavesOfItems = NonNullable<z.infer<typeof savesOfItems>>;

/**
 * The digests of the manifest that an agent has, by bucket (shared/core/manifest/buckets.ts): 16 characters of base64
 * each. Only to a Main with the capability `manifest-difference`; what makes no sense counts as no manifest.
 */
export const bucketDigests = z
  .string()
  .max(MAX_BUCKETS * SHORT_DIGEST_CHARACTERS)
  .regex(/^[0-9A-Za-z+/]+$/)
  .optional()
  .catch(undefined);
/** Numbers of buckets. */
export const buckets = z
  .array(
    z
      .int()
      .min(0)
      .max(MAX_BUCKETS - 1),
  )
  .max(MAX_BUCKETS)
  .optional();

/** For people: which field of a peer's message is invalid, and why. */
export function whatIsWrong(
  issues: readonly { readonly path: PropertyKey[]; readonly message: string }[],
): string {
  const [first] = issues;
  const field = first?.path.join('.').slice(0, 200);
  return `${field === undefined || field === '' ? '' : `${field}: `}${first?.message ?? 'unknown'}`.slice(
    0,
    400,
  );
}

function pathIn(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'path' in value ? value.path : undefined;
}

export const policy = z.object({
  name,
  /** Its path on Main, and on an MDS that allows it there. Since 0.2; an older Main does not send it. */
  path: z.string().max(4096).optional(),
  direction: z.enum(['to-mds', 'both']),
  deletions: z.enum(['main', 'both', 'never']),
  settle: within(0, MAX_SETTLE_MS),
  reload: z.enum(['dialplan', 'moh', 'none']),
  reloadAlways: z.boolean(),
  lint: z.enum(['block', 'warn', 'off']),
  /** Patterns of names that both sides ignore. Since 0.2; for an older agent such files count as removed on Main. */
  exclude: z.array(z.string().min(1).max(256)).max(256).optional(),
});

export const plannedAction = z.strictObject({
  directory: name,
  action: z.enum(['send', 'receive', 'remove', 'restore', 'mkdir', 'link', 'hold', 'skip', 'conflict']),
  path: z.string().max(8192),
  bytes: count,
  reason: text,
});

export const directoryReport = z.strictObject({
  name,
  /** The revision of Main's manifest that this report is about. */
  revision: count,
  files: count,
  bytes: count,
  pending: count,
  /** The content that still has to travel, either way. Only to a Main with the capability `figures`. */
  pendingBytes: count.optional(),
  localOnly: count,
  held: z.string().max(MAX_TEXT).nullable(),
  digest: hashSchema,
  /** Paths that do not travel from or to this MDS, with the reason. Sent only to a Main with the capability `skipped`. */
  skipped: z
    .array(z.strictObject({ path: z.string().max(8192), reason: text }))
    .max(MAX_SKIPPED)
    .optional(),
});

export const reloadReport = z.strictObject({
  kind: z.enum(['dialplan', 'moh']),
  at: z.string().max(64),
  ok: z.boolean(),
  durationMs: count,
  output: text,
});

export const errorReport = z.strictObject({
  at: z.string().max(64),
  path: z.string().max(8192),
  message: text,
});

/** One change that the agent asks Main to make: content (which follows on the stream), metadata, or a removal. */
export const offer = z.discriminatedUnion('op', [
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

/** An offer as it arrives; an invalid one is refused by its path. */
export const arrivingOffer = z.union([
  offer,
  z.unknown().transform((value) => ({
    op: 'nonsense' as const,
    path: pathSchema.safeParse(pathIn(value)).data ?? '?',
    reason: whatIsWrong(offer.safeParse(value).error?.issues ?? []),
  })),
]);

export const stepResult = z.strictObject({
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

/** Outcome of the last upgrade on an MDS. */
export const upgradeOutcomeSchema = z.object({
  at: z.string().max(64),
  /** The package that it was about. */
  sha256: hashSchema,
  version: z.string().max(64),
  ok: z.boolean(),
  reason: text,
});

/** An item of an MDS's trash: the change set that displaced it, and its number there. */
const trashId = z.string().regex(/^[0-9A-Za-z-]{1,64}\/\d{1,9}$/);

/** What Main may ask an agent to do. */
export const command = z.discriminatedUnion('do', [
  /** `isScanned`, to an agent with the capability `scan`: what `scan` has read since the last pass is not read again. */
  z.strictObject({ do: z.literal('reconcile'), isScanned: z.literal(true).optional() }),
  /** Scans for the pass that follows, while Main scans its own disk. Sent only to an agent with the capability `scan`. */
  z.strictObject({ do: z.literal('scan') }),
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
  /** This and the next three are sent only to an agent with the capability `differences`. Lists the differences from Main at or below a path. */
  z.strictObject({ do: z.literal('differences'), directory: name.optional(), path: pathSchema.optional() }),
  /** Reads the beginning of the MDS's file, or of an item in its trash. */
  z.strictObject({ do: z.literal('content'), directory: name, path: pathSchema, item: trashId.optional() }),
  /** Offers these to Main, in a one-way directory too, because a person on Main asked for them. */
  z.strictObject({
    do: z.literal('give'),
    directory: name,
    /** `item`: this item of the trash instead of the live file. */
    files: z.array(z.strictObject({ path: pathSchema, item: trashId.optional() })).max(MAX_ITEMS),
  }),
  /** Moves local files to the trash. */
  z.strictObject({ do: z.literal('prune'), directory: name, paths: z.array(pathSchema).max(MAX_ITEMS) }),
  /**
   * Answers as `prune` would, and changes nothing. Sent only to an agent with the capability `prune-rehearsal`. It is a
   * command of its own, not a field of `prune`, so that no agent can mistake it for the real one.
   */
  z.strictObject({
    do: z.literal('prune-rehearsal'),
    directory: name,
    paths: z.array(pathSchema).max(MAX_ITEMS),
  }),
  /** Sent only to an agent with the capability `upgrade`. */
  z.strictObject({ do: z.literal('upgrade'), offer: packageOfferSchema }),
]);

export type PackageOffer = Readonly<z.infer<typeof packageOfferSchema>>;
export type UpgradeOutcome = Readonly<z.infer<typeof upgradeOutcomeSchema>>;
export type ManifestItem = z.infer<typeof item>;
export type ManifestEntry = z.infer<typeof shown>;
export type DirectoryPolicy = z.infer<typeof policy>;
export type PlannedAction = z.infer<typeof plannedAction>;
export type DirectoryReport = z.infer<typeof directoryReport>;
export type ReloadReport = z.infer<typeof reloadReport>;
export type ErrorReport = z.infer<typeof errorReport>;
export type Offer = z.infer<typeof offer>;
export type ArrivingOffer = z.infer<typeof arrivingOffer>;
export type StepResult = z.infer<typeof stepResult>;
export type Command = z.infer<typeof command>;
