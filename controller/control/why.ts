import { isOverride } from '#core/path/relative.ts';
import { ControlError } from '#host/control/controlError.ts';
import type { Controller } from '../daemon/controller.ts';
import { passOver } from '../daemon/passes.ts';
import type { ShowProgress } from '../daemon/passProgress.ts';
import type { Result } from './contract/contract.ts';
import { locate } from './locate.ts';
import { whyNonsense } from './nonsense.ts';

type WhyOfMds = Result<'why'>['mds'][number];

/** The rule that applies to a path on each MDS, and the entries of both sides. */
export async function why(
  controller: Controller,
  written: string,
  only: string | undefined,
  show: ShowProgress,
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
  const passes = await passOver(controller, { do: 'why', directory: directory.name, path }, only, show);
  const pattern = directory.excludes.patternFor(path, false) ?? directory.excludes.patternFor(path, true);
  return {
    ...base,
    rule: pattern === undefined ? null : `excluded (${pattern}): left alone on all hosts`,
    mds: passes.map(({ name, ok, body, problems }): WhyOfMds => {
      if (ok && body?.to === 'why') return { name, ok, facts: body.facts, problems };
      const reasons = ok ? [whyNonsense(body)] : problems;
      return { name, ok: false, facts: null, problems: reasons };
    }),
  };
}
