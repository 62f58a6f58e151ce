import * as z from 'zod';
import { hashSchema } from '../entry.ts';
import { name, text, range } from './common.ts';

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
    /** The pin of the key that Main is about to switch to. */
    nextIdentity: hashSchema.optional(),
  }),
  z.object({ type: z.literal('left') }),
  z.object({ type: z.literal('refused'), reason: text }),
]);

export type EnrolRequest = z.infer<typeof enrolRequestSchema>;
export type EnrolAnswer = z.infer<typeof enrolAnswerSchema>;
