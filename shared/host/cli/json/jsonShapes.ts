import * as z from 'zod';

/** What `doctor --json` prints. */
export const checks = z.object({
  checks: z.array(
    z.object({
      name: z.string(),
      result: z.enum(['ok', 'warning', 'failed']),
      detail: z.string(),
      remedy: z.string().optional(),
    }),
  ),
});

/** What `check-config --json` prints. */
export const checkedConfig = z.object({
  ok: z.boolean(),
  files: z.array(z.string()),
  problems: z.array(
    z.object({
      file: z.string().nullable(),
      line: z.number().nullable(),
      key: z.string().nullable(),
      message: z.string(),
    }),
  ),
});
