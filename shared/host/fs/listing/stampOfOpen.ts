import type { Stamp } from '#core/manifest/stamp.ts';
import { openStat } from './openStat.ts';

/** The stamp of an open file. @throws an error with `code`, as Node's fs throws */
export function stampOfOpen(fd: number): Stamp {
  return openStat(fd).stamp;
}
