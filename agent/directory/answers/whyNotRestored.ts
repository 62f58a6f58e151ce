import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { refusePath } from '#core/path/relative.ts';
import type { MainManifest } from '../manifest/mainManifest.ts';

/** Why nothing can be restored at a path of this MDS; undefined when it can. */
export function whyNotRestored(
  to: string,
  policy: DirectoryPolicy,
  mainManifest: MainManifest,
): string | undefined {
  const refusal = refusePath(to);
  if (refusal !== undefined) return `${to}: ${refusal}`;
  if (policy.direction !== 'to-mds' || entryOf(mainManifest.get(to)) === undefined) return undefined;
  return `Main has its own ${to}, which would overwrite it at once: restore it under another name with --as, or put it on Main`;
}
