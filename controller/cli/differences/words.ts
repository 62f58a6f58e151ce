import { printable } from '#core/text/printable.ts';
import { formatBytes } from '#core/text/size.ts';
import { localTime } from '#host/time/localTime.ts';
import { table } from '#host/cli/table.ts';
import type { Difference } from '../../control/contract/contract.ts';

/** What each difference is, and what becomes of it, in words. */
export function meaning(mds: string, { kind, at, item, reason }: Difference): string {
  const why = reason ?? '';
  switch (kind) {
    case 'local':
      return `local file: only on ${mds}, left alone`;
    case 'override':
      return 'override (xds_override): never read, sent or removed';
    case 'excluded':
      return `excluded (${why}): left alone on all hosts`;
    case 'drift':
    case 'replaced': {
      const what =
        kind === 'drift' ? `changed on ${mds} (drift)` : `${mds} had another content under Main's name`;
      if (item === null) return `${what}: Main's version comes back (${why})`;
      return `${what}: Main's is in place again since ${at === null ? 'then' : localTime(at)}, ${mds}'s lies in its trash (${item})`;
    }
    case 'pending':
      return `to be done: ${why}`;
    case 'skipped':
      return `does not travel: ${why}`;
  }
}

/** A line for each difference. */
export function differenceLines(mds: string, differences: readonly Difference[]): string[] {
  const rows = differences.map((each) => [
    each.kind.toUpperCase(),
    `${each.directory}/${each.path}`,
    each.type === 'file' ? formatBytes(each.bytes) : each.type === 'other' ? '' : each.type,
    meaning(mds, each),
  ]);
  return table(['KIND', 'PATH', 'SIZE', 'WHAT IT IS'], rows, { right: [2] });
}

/** A path as it is written on the command line. */
export function written({ directory, path }: Pick<Difference, 'directory' | 'path'>): string {
  return `${directory}/${printable(path)}`;
}
