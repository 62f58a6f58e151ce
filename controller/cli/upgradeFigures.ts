import { formatDuration } from '#core/text/duration.ts';
import type { RollOut } from '../control/contract/contract.ts';

/** How an upgrade of several MDS, or one that failed somewhere, went as a whole, and what to do about the rest. Pure. */
export function upgradeFigures({ version, mds, stopped, durationMs }: RollOut): string[] {
  const named = (result: RollOut['mds'][number]['result']): string[] =>
    mds.filter((each) => each.result === result).map(({ name }) => name);
  const upgraded = mds.filter(({ result }) => result === 'upgraded');
  const left = [...named('failed'), ...named('away'), ...(stopped?.notBegun ?? [])];
  if (mds.length === 0 || (mds.length === 1 && left.length === 0)) return [];
  const from = [...new Set(upgraded.flatMap(({ from: before }) => before ?? []))].join(', ');
  const parts = [
    `${upgraded.length} upgraded${from === '' ? '' : ` from ${from}`} to ${version} in ${formatDuration(durationMs)}`,
    ...counted(named('current'), 'there already'),
    ...counted(named('failed'), 'failed'),
    ...counted(named('away'), 'away'),
    ...counted(stopped?.notBegun ?? [], 'not begun'),
  ];
  if (left.length === 0) return [parts.join(', ')];
  const again = left.length === 1 ? left[0] : '--all';
  return [parts.join(', '), `once that is mended: xivo-xds-sync mds upgrade ${again}`];
}

function counted(names: readonly string[], what: string): string[] {
  return names.length === 0 ? [] : [`${names.length} ${what}`];
}
