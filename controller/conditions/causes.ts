import type { Cause, StandingCondition } from './condition.ts';

/** Combines conditions that differ only in the MDS into one cause, with the earliest start. The order is kept. */
export function causesOf(conditions: readonly StandingCondition[]): Cause[] {
  const causes = new Map<string, Cause>();
  for (const { kind, severity, mds, directory, path, since, cause, action } of conditions) {
    const key = [kind, directory, path, cause].join('\u0000');
    const known = causes.get(key);
    causes.set(key, {
      kind,
      severity,
      mds: [...(known?.mds ?? []), ...(mds === undefined ? [] : [mds])].toSorted(),
      ...(directory !== undefined && { directory }),
      ...(path !== undefined && { path }),
      since: Math.min(since, known?.since ?? since),
      cause,
      // One command for all affected MDS.
      action: known === undefined ? action : known.action.replace(/ --mds \S+$/, ''),
    });
  }
  return [...causes.values()];
}
