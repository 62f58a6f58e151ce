import { isOverride } from '#core/path/relative.ts';
import { ControlError } from '#host/control/controlError.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import type { Controller } from '../daemon/controller.ts';
import { passOver } from '../daemon/passes.ts';
import type { ShowProgress } from '../daemon/passProgress.ts';
import type { Result } from './contract/contract.ts';
import { locate } from './locate.ts';
import { whyNonsense } from './nonsense.ts';

/** Newest rows of the history of a path that are looked through for its save. */
const MOST_LOOKED_AT = 50;

type WhyOfMds = Result<'why'>['mds'][number];

/** Who changed it last on Main, by which save: since Main started, or as the history knows it. */
function lastChange(
  { history }: Controller,
  { name, originators }: MainDirectory,
  path: string,
): Result<'why'>['change'] {
  const { actor, save } = originators.of(path);
  if (save !== null) return { actor, save };
  const found = history
    .find({ limit: MOST_LOOKED_AT, directory: name, path })
    .find((row) => row.path === path && row.save !== null && row.actor !== null);
  return found?.save == null || found.actor === null ? null : { actor: found.actor, save: found.save };
}

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
  const base = { directory: directory.name, path, change: lastChange(controller, directory, path) };
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
