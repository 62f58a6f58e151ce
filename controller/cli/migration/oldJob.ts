import { existsSync, renameSync } from 'node:fs';
import path from 'node:path';
import type { ControllerPlaces } from '#host/config/places.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { withRemedy } from '#host/fs/remedy.ts';

/** The state of the cron job of the old rsync program. */
export type OldJob = 'on' | 'off' | 'none';

/** cron ignores names with a dot, so the file can stay. */
function retiredFile({ oldCronFile }: Pick<ControllerPlaces, 'oldCronFile'>): string {
  return `${oldCronFile}.retired`;
}

/** Whether the cron job of the old rsync program is on, off (its file is renamed) or absent. */
export function oldJob(places: ControllerPlaces): OldJob {
  if (existsSync(places.oldCronFile)) return 'on';
  return existsSync(retiredFile(places)) ? 'off' : 'none';
}

/**
 * Turns the rsync job off, which would undo the work of the agents.
 * @returns what was done, as text for people; undefined if there is no such job
 * @throws an error for people when the file can't be renamed
 */
export function retireOldJob(places: ControllerPlaces): string | undefined {
  const file = places.oldCronFile;
  if (!existsSync(file)) return undefined;
  rename(file, retiredFile(places));
  return `disabled the old rsync job (renamed ${file} to ${path.basename(retiredFile(places))})`;
}

/** Puts the cron file back. @throws an error for people */
export function restoreOldJob(places: ControllerPlaces): string {
  rename(retiredFile(places), places.oldCronFile);
  return `the old rsync job is on again (${places.oldCronFile})`;
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    throw new Error(`${from} can't be renamed to ${path.basename(to)}: ${withRemedy(errnoOf(error))}`, {
      cause: error,
    });
  }
}
