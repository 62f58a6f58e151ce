import type { Cause, StandingCondition } from './condition.ts';

/** Combines conditions that differ only in the MDS into one cause, with the earliest start. The order is kept. */
export function causesOf(conditions: readonly StandingCondition[]): Cause[] {
  const alike = Map.groupBy(conditions, ({ kind, directory, path, cause }) =>
    [kind, directory, path, cause].join('\u0000'),
  );
  return [...alike.values()].flatMap((each) => asOne(each) ?? []);
}

function asOne(alike: readonly StandingCondition[]): Cause | undefined {
  const [first] = alike;
  if (first === undefined) return undefined;
  const { kind, severity, directory, path, cause, action } = first;
  return {
    kind,
    severity,
    mds: alike.flatMap(({ mds }) => mds ?? []).toSorted(),
    ...(directory !== undefined && { directory }),
    ...(path !== undefined && { path }),
    since: Math.min(...alike.map(({ since }) => since)),
    cause,
    // One command for all affected MDS.
    action: alike.length === 1 ? action : action.replace(/ --mds \S+$/, ''),
  };
}
