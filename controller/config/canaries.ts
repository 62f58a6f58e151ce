import type { ConfigProblem } from '#host/config/configError.ts';

/**
 * Canaries that Main does not know. While no MDS is enrolled at all, any name may be one to come.
 * @param known MDS that are enrolled or asked to be, or that a join token was made for
 */
export function unknownCanaries(canary: readonly string[], known: ReadonlySet<string>): string[] {
  return known.size === 0 ? [] : canary.filter((name) => !known.has(name));
}

/** The same as problems of a configuration file. */
export function canaryProblems(
  canary: readonly string[],
  known: ReadonlySet<string>,
): (ConfigProblem & { message: string })[] {
  return unknownCanaries(canary, known).map((name) => ({
    key: `canary[${canary.indexOf(name)}]`,
    message: `there is no MDS "${name}"; there are ${[...known].toSorted().join(', ')}`,
  }));
}
