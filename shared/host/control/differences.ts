import * as z from 'zod';
import type { DeepReadonly } from './contract.ts';

const count = z.number().min(0);

/** A difference between an MDS and Main, as `diff` shows it. */
export const difference = z.object({
  /** The kinds are explained at `difference` in protocol/messages/answers.ts. */
  kind: z.enum(['local', 'override', 'excluded', 'drift', 'replaced', 'pending', 'skipped']),
  directory: z.string(),
  path: z.string(),
  type: z.enum(['file', 'folder', 'link', 'other']),
  bytes: count,
  /** When the MDS's own version went to its trash, and its trash id; null for a current difference. */
  at: z.string().nullable(),
  item: z.string().nullable(),
  reason: z.string().nullable(),
});

/** The changes from Main's text to the MDS's text. */
export const textDifference = z.object({
  directory: z.string(),
  path: z.string(),
  lines: z.array(z.object({ sign: z.enum(['+', '-', ' ']), text: z.string() })),
  /** Number of lines left out. */
  more: count,
  /** Why the texts can't be compared. */
  note: z.string().nullable(),
});

export type Difference = Readonly<z.output<typeof difference>>;
export type TextDifference = DeepReadonly<z.output<typeof textDifference>>;
