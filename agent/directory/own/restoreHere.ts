import type { DirectoryPolicy } from '#protocol/messages/common.ts';
import type { SyncDirectory } from '#sync/directory/syncDirectory.ts';
import { whyNotRestored } from '../answers/whyNotRestored.ts';
import type { MainManifest } from '../manifest/mainManifest.ts';

/**
 * Restores an item of the trash on this MDS only.
 * @throws when that is not possible, or Main's version would replace it at once
 */
export async function restoreHere(
  sync: SyncDirectory,
  { id, to }: { readonly id: string; readonly to: string },
  { policy, mainManifest }: { readonly policy: DirectoryPolicy; readonly mainManifest: MainManifest },
): Promise<void> {
  const { items } = await sync.trash();
  const item = items.find((each) => each.id === id);
  if (item === undefined) throw new Error(`there is no ${id} in the trash of ${sync.name}`);
  const why = whyNotRestored(to, policy, mainManifest);
  if (why !== undefined) throw new Error(why);
  // A restored file is local to this MDS, so the ledger does not get it.
  sync.adopt(await sync.restore(item, to));
}
