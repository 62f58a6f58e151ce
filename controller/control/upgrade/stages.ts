/** Number of parallel upgrades after the first ones: each downloads the package from Main. */
const SIDE_BY_SIDE = 4;

export type Stage = {
  readonly names: readonly string[];
  /** True when the next stage starts only if this MDS is upgraded successfully. */
  readonly isCanary: boolean;
};

/**
 * The order of upgrades: each canary alone, then the others in groups. Without a canary, the first connected MDS that
 * needs an upgrade takes its place.
 */
export function stagesOf(
  names: readonly string[],
  options: { readonly canaries: readonly string[]; readonly isWaiting: (name: string) => boolean },
): Stage[] {
  const first = names.find((name) => options.isWaiting(name));
  const chosen = options.canaries.filter((name) => names.includes(name));
  const canaries = chosen.length > 0 || first === undefined ? chosen : [first];
  const rest = names.filter((name) => !canaries.includes(name));
  const stages: Stage[] = canaries.map((name) => ({ names: [name], isCanary: true }));
  for (let at = 0; at < rest.length; at += SIDE_BY_SIDE)
    stages.push({ names: rest.slice(at, at + SIDE_BY_SIDE), isCanary: false });
  return stages;
}
