import type { ChangeSet, Outcome } from '#core/changeSet.ts';
import type { OpenFolders } from '#host/fs/openFolders.ts';
import type { Applying, OnCommit } from './applierOptions.ts';
import { makeOutcomesDurable } from './durable.ts';
import type { PrivateFolder } from './privateFolder.ts';
import { recover } from './recover.ts';
import { openTrash } from './trashFolder.ts';

/** Journalled change sets that are not finished, by id. */
export type CutOff = Map<string, { readonly changeSet: ChangeSet; readonly record: OnCommit }>;

/** Finishes interrupted change sets independently: a failure of one does not affect the others. */
export async function finish(
  cutOff: CutOff,
  options: Applying,
  { open, area }: { open: OpenFolders; area: PrivateFolder },
): Promise<{ outcomes: Outcome[]; error?: unknown }> {
  const { journal, withLease = atOnce, ending } = options;
  const outcomes: Outcome[] = [];
  let failure: { error: unknown } | undefined;
  for (const [id, entry] of [...cutOff]) {
    // Removed first, since two commits may run concurrently.
    if (!cutOff.delete(id)) continue;
    const { changeSet, record } = entry;
    try {
      using trash = openTrash(area, id, changeSet.steps);
      const ended = await withLease(() => recover(changeSet, { open, area, trash: trash.folder }), ending);
      await makeOutcomesDurable(open, ended, [area.stage, ...(trash.folder ? [trash.folder] : [])]);
      journal.end(id, () => record(changeSet, ended));
      outcomes.push(...ended);
    } catch (error) {
      cutOff.set(id, entry);
      failure ??= { error };
    }
  }
  return { outcomes, ...failure };
}

/** Stands in for a reader lease where none is needed: calls `show` at once. */
export function atOnce<T>(show: () => T): Promise<T> {
  return Promise.resolve(show());
}
