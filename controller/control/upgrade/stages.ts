/** So many at a time, after the first ones: each downloads its package from Main. */
const SIDE_BY_SIDE = 4;

export type Stage = {
  readonly names: readonly string[];
  /** Whether nobody else begins unless this one is well. */
  readonly isCanary: boolean;
};

/**
 * In which order MDS are upgraded: each canary alone, then the others a few at a time. Without a canary, the first
 * one that is connected and waits for an upgrade is it.
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
