import { changeSetsOf, COMPLETED_ENTRIES, completeWord } from '#host/cli/completion/completeWord.ts';
import { offerPaths } from '#host/cli/completion/offerPaths.ts';
import { ask } from './ask.ts';
import type { Context } from './context.ts';

/** `complete`: candidates for bash completion. */
export function complete(context: Context, what: string, typed: string): Promise<number> {
  return completeWord(() => offers(context, what, typed));
}

async function offers(context: Context, what: string, typed: string): Promise<readonly string[]> {
  if (what === 'changeset') {
    const { entries } = await ask(context, 'history', { limit: COMPLETED_ENTRIES });
    return changeSetsOf(entries);
  }
  // Main defines the directories, and this host their paths; the agent knows both.
  const { directories } = await ask(context, 'status', {});
  const known = directories.flatMap(({ name, path }) => (path === undefined ? [] : [{ name, path }]));
  if (what === 'directory') return known.map(({ name }) => name);
  return what === 'path' ? offerPaths(known, typed) : [];
}
