import { complete as completed } from '#host/cli/completion/complete.ts';
import { ask, askStatus } from './ask.ts';
import type { Context } from './context.ts';
import { loadConfig } from './loadConfig.ts';

/** `complete`: candidates for bash completion. */
export function complete(context: Context, what: string, typed: string): Promise<number> {
  return completed(
    {
      directories: () =>
        loadConfig(context).directories.map(({ name, path }) => ({ name, path: context.root.path(path) })),
      history: async (limit) => (await ask(context, 'history', { limit })).entries,
      mds: async () => (await askStatus(context, undefined)).mds.map(({ name }) => name),
    },
    what,
    typed,
  );
}
