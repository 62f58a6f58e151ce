import type { Controller } from '../daemon/controller.ts';
import type { Result } from './contract/contract.ts';
import { requireMds } from './known.ts';

/** What was done, newest first. Main's own deeds are those of the host `main`. */
export function history(
  controller: Controller,
  { limit, mds }: { readonly limit: number; readonly mds?: string | undefined },
): Result<'history'> {
  if (mds !== 'main') requireMds(controller, mds);
  const rows = controller.history.newest(limit, mds);
  return { entries: rows.map((row) => ({ ...row, at: new Date(row.at).toISOString() })) };
}
