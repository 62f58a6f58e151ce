import { MAX_ITEMS } from '#protocol/limits.ts';
import { ControlError } from '#host/control/controlError.ts';
import { refusePath } from '#core/path/relative.ts';
import { printable } from '#core/text/printable.ts';
import type { Controller } from '../../daemon/controller.ts';
import { passOver } from '../../daemon/passes.ts';
import type { MainDirectory } from '../../directories/mainDirectory.ts';
import type { ShowProgress } from '../../daemon/passProgress.ts';
import type { MdsPass } from '../contract/contract.ts';
import { comparable } from './listing.ts';
import { refuseWhilePaused } from '../refuseWhilePaused.ts';

/** Takes files from an MDS at a person's request. */
export type Taken = { readonly by: string; readonly mds: readonly MdsPass[] };

export type Take = {
  readonly mds: string;
  readonly directory: MainDirectory;
  /** `item`: from the trash of the MDS. */
  readonly files: readonly { readonly path: string; readonly item: string | null; readonly bytes: number }[];
  readonly kind: 'adopt' | 'restore';
  readonly reason: string;
  readonly actor: string;
  readonly show: ShowProgress;
};

/**
 * Makes an MDS's versions Main's, as one change set, and so every MDS's. The replaced versions are kept on Main as
 * older versions and in the trash.
 * @throws ControlError when it is not possible
 */
export async function takeFromMds(controller: Controller, take: Take): Promise<Taken> {
  const { mds, directory, files, kind, reason, actor, show } = take;
  const session = comparable(controller, mds);
  refuseWhilePaused(controller);
  if (files.length > MAX_ITEMS / 2)
    throw new ControlError(`${files.length} files at once are too many: name a folder with fewer`);
  for (const { path } of files) {
    const refusal = refusePath(path);
    if (refusal !== undefined) throw new ControlError(`${printable(path)}: ${refusal}`, 2);
  }
  let by: string | undefined;
  const answer = await session.take(
    files.map(({ path, item }) => ({ path, ...(item !== null && { item }) })),
    {
      directory: directory.name,
      files: new Map(files.map(({ path, bytes }) => [path, bytes])),
      reason,
      actor,
      kind,
      onDone: (changeSet) => (by = changeSet),
    },
  );
  if (by === undefined)
    throw new ControlError(`${mds}: ${answer.lines.join('; ') || 'it sent nothing'}; Main was not changed`);
  controller.log.warn('taken from an MDS', {
    mds,
    directory: directory.name,
    files: files.length,
    changeSet: by,
  });
  const passes = await passOver(controller, { do: 'reconcile' }, undefined, show);
  // Some paths may have changed in that moment.
  const problems = answer.ok ? [] : [{ name: mds, ok: false, actions: [], problems: [...answer.lines] }];
  return { by, mds: [...problems, ...passes] };
}
