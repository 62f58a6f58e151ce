import type { ConfigProblem } from '#host/config/configError.ts';
import type { LoadedConfig } from '#host/config/yamlFile.ts';

/**
 * Canaries that Main does not know. While no MDS is enrolled, any name is accepted.
 * @param known MDS that are enrolled, waiting for approval, or named in a join token
 */
export function unknownCanaries(canary: readonly string[], known: ReadonlySet<string>): string[] {
  return known.size === 0 ? [] : canary.filter((name) => !known.has(name));
}

/** The same as errors of a configuration file. */
export function canaryProblems(
  canary: readonly string[],
  known: ReadonlySet<string>,
  placeOf: LoadedConfig<unknown>['placeOf'],
): (ConfigProblem & { message: string })[] {
  return unknownCanaries(canary, known).map((name) => ({
    ...placeOf(['canary', canary.indexOf(name)]),
    message: `there is no MDS "${name}"; there are ${[...known].toSorted().join(', ')}`,
  }));
}
