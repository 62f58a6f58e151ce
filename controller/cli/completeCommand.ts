import { changeSetsOf, COMPLETED_ENTRIES, completeWord } from '#host/cli/completion/completeWord.ts';
import { offerPaths } from '#host/cli/completion/offerPaths.ts';
import { ask, askStatus } from './ask.ts';
import type { Context } from './context.ts';
import { loadConfig } from './loadConfig.ts';

/** `complete`: candidates for bash completion. */
export function complete(context: Context, what: string, typed: string): Promise<number> {
  return completeWord(() => offers(context, what, typed));
}

async function offers(context: Context, what: string, typed: string): Promise<readonly string[]> {
  switch (what) {
    case 'mds':
      return (await askStatus(context, undefined)).mds.map(({ name }) => name);
    case 'directory':
      return loadConfig(context).directories.map(({ name }) => name);
    case 'path':
      return offerPaths(
        loadConfig(context).directories.map(({ name, path }) => ({ name, path: context.root.path(path) })),
        typed,
      );
    case 'changeset': {
      const { entries } = await ask(context, 'history', { limit: COMPLETED_ENTRIES });
      return changeSetsOf(entries);
    }
    default:
      return [];
  }
}
