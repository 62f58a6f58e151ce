import { isIP } from 'node:net';
import * as z from 'zod';
import { isMdsName } from '#core/mdsName.ts';
import { isPin } from '#host/identity/pin.ts';

const Name = z.string().refine(isMdsName, 'is not an MDS name');
const PinText = z.string().refine(isPin, 'is not a SHA-256 in 64 lower-case hex digits');
const Address = z.string().refine((text) => isIP(text) !== 0, 'is not an IP address');
/** ms since 1970. */
const Time = z.int().nonnegative();

const AgentRecord = z.strictObject({
  name: Name,
  pin: PinText,
  voipIp: Address.exactOptional(),
  enrolledAt: Time,
  /** Absent until Main has issued the first certificate for this key. */
  certificateNotAfter: Time.exactOptional(),
  /** Set when the name was known before: the first pass then only adds, since old records don't describe this disk. */
  replacedAt: Time.exactOptional(),
  /** The pin of Main's next key, once this MDS has stored it. */
  knowsNextMain: PinText.exactOptional(),
});

const TokenRecord = z.strictObject({
  id: z.string().min(1).max(64),
  /** The verifier, the public key derived from the token's secret: see enrolmentProof. */
  verifier: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'is not an Ed25519 public key'),
  name: Name,
  voipIp: Address.exactOptional(),
  expiresAt: Time,
  replace: z.boolean(),
  usedAt: Time.exactOptional(),
  /** The address it was used from. */
  usedBy: Address.exactOptional(),
});

const PendingRecord = z.strictObject({ name: Name, pin: PinText, address: Address, at: Time });

const RevokedRecord = z.strictObject({ name: Name, pin: PinText, at: Time });

/** The complete registry of agents, tokens, requests and revoked keys. */
export const RegistryState = z
  .strictObject({
    version: z.literal(1),
    agents: z.array(AgentRecord).readonly(),
    tokens: z.array(TokenRecord).readonly(),
    pending: z.array(PendingRecord).readonly(),
    revoked: z.array(RevokedRecord).readonly(),
  })
  .refine(({ agents }) => allDifferent(agents.map(({ name }) => name)), 'has an MDS name twice')
  .refine(({ agents }) => allDifferent(agents.map(({ pin }) => pin)), 'has a pin twice')
  .refine(({ tokens }) => allDifferent(tokens.map(({ id }) => id)), 'has a token twice');

/** An enrolled MDS: a name with its key. */
export type Agent = Readonly<z.infer<typeof AgentRecord>>;
/** A join token as stored, without its secret. */
export type Token = Readonly<z.infer<typeof TokenRecord>>;
/** A request to enrol without a token. */
export type Pending = Readonly<z.infer<typeof PendingRecord>>;
/** A revoked key. */
export type Revoked = Readonly<z.infer<typeof RevokedRecord>>;
export type RegistryState = Readonly<z.infer<typeof RegistryState>>;

export const EMPTY_REGISTRY: RegistryState = { version: 1, agents: [], tokens: [], pending: [], revoked: [] };

function allDifferent(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
