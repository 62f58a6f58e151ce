import { isIP } from 'node:net';
import * as z from 'zod';
import { isMdsName } from '#core/mdsName.ts';
import { isPin } from './pin.ts';
import type { Pin } from './pin.ts';

/** The token that `mds add` prints on Main and `enroll` reads on the MDS. Its holder may enrol once. */
export type JoinToken = {
  readonly mainPin: Pin;
  readonly id: string;
  /** 16 bytes. The MDS never sends them: see enrolmentProof. */
  readonly secret: Buffer;
  readonly name: string;
  /** ms since 1970, in whole seconds. */
  readonly expiresAt: number;
  /** The only address from which the token is accepted, if Main was given one. */
  readonly voipIp?: string;
};

/** The text is not a usable join token. The message names the remedy and never repeats the text. */
export class TokenError extends Error {
  override name = 'TokenError';
}

export const TOKEN_SECRET_BYTES = 16;
const PREFIX = 'xds1.';
/** Longest text that is decoded; a real token has less than 400 characters. */
const LONGEST_TEXT = 1024;
const COPY_AGAIN = 'copy the whole line that `xivo-xds-sync mds add NAME` printed on Main';

// One-letter keys keep the token short: a person copies it from one screen to another.
const Payload = z.strictObject({
  m: z.string().refine(isPin),
  i: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  s: z
    .string()
    .regex(/^[A-Za-z0-9_-]{22}$/)
    .refine((text) => Buffer.from(text, 'base64url').toString('base64url') === text),
  n: z.string().refine(isMdsName),
  e: z.int().positive(),
  v: z
    .string()
    .refine((text) => isIP(text) !== 0)
    .exactOptional(),
});

/** Writes a token as one line of text without spaces. */
export function encodeToken(token: JoinToken): string {
  const payload: z.infer<typeof Payload> = {
    m: token.mainPin,
    i: token.id,
    s: token.secret.toString('base64url'),
    n: token.name,
    e: Math.floor(token.expiresAt / 1000),
    ...(token.voipIp === undefined ? {} : { v: token.voipIp }),
  };
  return PREFIX + Buffer.from(JSON.stringify(payload)).toString('base64url');
}

/**
 * Parses a token; blanks and line ends around it are ignored. The expiry is not checked here: Main checks it.
 * @throws TokenError
 */
export function decodeToken(text: string): JoinToken {
  const trimmed = text.trim();
  if (trimmed === '') throw new TokenError(`the join token is empty: ${COPY_AGAIN}`);
  if (!trimmed.startsWith(PREFIX)) throw new TokenError(whyNotOurs(trimmed));
  const payload = Payload.safeParse(parsedJson(trimmed.slice(PREFIX.length)));
  if (!payload.success) throw new TokenError(`the join token is damaged or incomplete: ${COPY_AGAIN}`);
  const { m, i, s, n, e, v } = payload.data;
  return {
    mainPin: m,
    id: i,
    secret: Buffer.from(s, 'base64url'),
    name: n,
    expiresAt: e * 1000,
    ...(v === undefined ? {} : { voipIp: v }),
  };
}

function whyNotOurs(text: string): string {
  return /^xds\d+\./.test(text)
    ? 'the join token has a format that this version does not know: install the same version on Main and on this MDS'
    : `this is not a join token, which begins with "${PREFIX}": ${COPY_AGAIN}`;
}

/** The JSON in the text; undefined, which no schema accepts, when there is none. */
function parsedJson(base64url: string): unknown {
  if (base64url.length > LONGEST_TEXT || !/^[A-Za-z0-9_-]+$/.test(base64url)) return undefined;
  try {
    return JSON.parse(Buffer.from(base64url, 'base64url').toString('utf8'));
  } catch {
    return undefined; // The caller reports any kind of damage with one message.
  }
}
