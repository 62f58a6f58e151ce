import { isOverride } from '#core/path/relative.ts';
import { ControlError } from '#host/control/controlError.ts';
import type { Controller } from '../daemon/controller.ts';
import { passOver } from '../daemon/passes.ts';
import type { Result } from './contract/contract.ts';
import { whyFacts } from './contract/passes.ts';
import { locate } from './locate.ts';

type WhyOfMds = Result<'why'>['mds'][number];

/** Which rule decides about a path on each MDS, and what each side holds. */
export async function why(
  controller: Controller,
  written: string,
  only: string | undefined,
): Promise<Result<'why'>> {
  const found = locate(controller, written);
  if (found === undefined) {
    throw new ControlError(
      `"${written}" is in no synchronised directory: write an absolute path, or directory/path (directories: ${[...controller.directories.keys()].join(', ')})`,
      2,
    );
  }
  const { directory, path } = found;
  const base = { directory: directory.name, path };
  if (isOverride(path))
    return { ...base, mds: [], rule: 'override (name starts with xds_override): ignored on all hosts' };
  const passes = await passOver(controller, { do: 'why', directory: directory.name, path }, only);
  return {
    ...base,
    rule: null,
    mds: passes.map(({ name, ok, lines, problems }): WhyOfMds => {
      const facts = ok ? factsOf(lines[0]) : undefined;
      if (facts !== undefined) return { name, ok, facts, problems };
      const reasons =
        problems.length > 0 ? problems : ['its answer makes no sense: is its agent up to date?'];
      return { name, ok: false, facts: null, problems: reasons };
    }),
  };
}

/** An MDS that answers nonsense keeps nobody else's answer from being shown. */
function factsOf(line: string | undefined): WhyOfMds['facts'] | undefined {
  try {
    return whyFacts.parse(JSON.parse(line ?? ''));
  } catch {
    return undefined;
  }
}
