import * as z from 'zod';
import type { DeepReadonly } from './contract.ts';

const count = z.number().min(0);

/** What an MDS has otherwise than Main, as `diff` shows it. */
export const difference = z.object({
  /** See `difference` in protocol/messages/answers.ts: what each word means. */
  kind: z.enum(['local', 'override', 'excluded', 'drift', 'replaced', 'pending', 'skipped']),
  directory: z.string(),
  path: z.string(),
  type: z.enum(['file', 'folder', 'link', 'other']),
  bytes: count,
  /** Since when the MDS's own version lies in its trash, and under which id; null for what differs now. */
  at: z.string().nullable(),
  item: z.string().nullable(),
  reason: z.string().nullable(),
});

/** What changes from Main's text to the MDS's. */
export const textDifference = z.object({
  directory: z.string(),
  path: z.string(),
  lines: z.array(z.object({ sign: z.enum(['+', '-', ' ']), text: z.string() })),
  /** Lines that are left out. */
  more: count,
  /** Why there is no text to be compared. */
  note: z.string().nullable(),
});

export type Difference = Readonly<z.output<typeof difference>>;
export type TextDifference = DeepReadonly<z.output<typeof textDifference>>;
