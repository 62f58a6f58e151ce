import type { Controller } from '../../daemon/controller.ts';
import type { Result } from '../contract/contract.ts';
import type { HistoryFilter } from '#sync/state/history.ts';
import { requirePlace } from '../differences/listing.ts';
import { locate } from '../locate.ts';
import { identify } from './rollback.ts';
import { requireDirectory, requireMds } from '../known.ts';

/** The history, newest first. Changes on Main itself have the host `main`. */
export function history(controller: Controller, asked: HistoryFilter): Result<'history'> {
  if (asked.mds !== 'main') requireMds(controller, asked.mds);
  if (asked.directory !== undefined) requireDirectory(controller, asked.directory);
  const found = asked.path === undefined ? undefined : locate(controller, asked.path);
  const place = found === undefined ? {} : { directory: found.directory.name, path: found.path };
  const rows = controller.history.find({ ...asked, ...place });
  if (rows.length === 0 && asked.after === undefined) {
    if (asked.changeSet !== undefined) identify(controller, asked.changeSet);
    // A path of a directory that is not synchronised any more may have a history.
    if (asked.path !== undefined) requirePlace(controller, asked.path);
  }
  return { entries: rows.map((row) => ({ ...row, at: new Date(row.at).toISOString() })) };
}
