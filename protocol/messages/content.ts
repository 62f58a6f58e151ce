import * as z from 'zod';
import { hashSchema } from '../entry.ts';
import { MAX_BLOCKS, MAX_CHUNKS, MAX_FILE_BYTES, SHORT_DIGEST_CHARACTERS } from '../limits.ts';

/** Resume offset: bytes that the receiver already has from an interrupted transfer of the same content. */
export const from = z.int().min(1).max(MAX_FILE_BYTES).optional();

/** Block hashes of the receiver's version of the file (shared/sync/transfer/blocks.ts): only the blocks that differ are sent. */
export const blocks = z.strictObject({
  block: z
    .int()
    .min(4096)
    .max(2 ** 32),
  hashes: z.array(z.string().regex(/^[0-9a-f]{32}$/)).max(MAX_BLOCKS),
});

/**
 * Digests of the chunks of the receiver's version of the file (shared/sync/transfer/chunkList.ts), 16 characters of base64
 * each: only what is in none of them is sent. Sent only to a Main with the capability `chunks`.
 */
export const chunks = z
  .string()
  .max(MAX_CHUNKS * SHORT_DIGEST_CHARACTERS)
  .regex(/^[A-Za-z0-9+/]*$/)
  .refine(({ length }) => length % SHORT_DIGEST_CHARACTERS === 0, 'the last digest is not whole')
  .optional();

/**
 * The hash of the receiver's version of the file: only what differs from it is sent, if the sender knows what is in it. Sent
 * only to a Main with the capability `replaces`.
 */
export const replaces = hashSchema.optional();
