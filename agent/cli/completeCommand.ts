import { complete as completed } from '#host/cli/completion/complete.ts';
import { ask } from './ask.ts';
import type { Context } from './context.ts';

/** `complete`: candidates for bash completion. */
export function complete(context: Context, what: string, typed: string): Promise<number> {
  return completed(
    {
      // Main defines the directories, and this host their paths; the agent knows both.
      directories: async () =>
        (await ask(context, 'status', {})).directories.flatMap(({ name, path }) =>
          path === undefined ? [] : [{ name, path }],
        ),
      history: async (limit) => (await ask(context, 'history', { limit })).entries,
    },
    what,
    typed,
  );
}
