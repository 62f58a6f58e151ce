import { EXIT } from '#host/cli/exitCodes.ts';
import { offerPaths } from '#host/cli/offerPaths.ts';
import { print } from '#host/cli/terminal.ts';
import { ask } from './ask.ts';
import type { Context } from './context.ts';

/** A shell that completes a word does not wait longer, milliseconds. */
const PATIENCE = 4_000;
const CHANGE_SETS = 200;

/** What bash completion offers, a line each. Where nothing can be found out it offers nothing, and is silent. */
export async function complete(context: Context, what: string, begun: string): Promise<number> {
  setTimeout(() => process.exit(EXIT.done), PATIENCE).unref();
  try {
    for (const offer of await offers(context, what, begun)) print(offer);
  } catch {
    // Whoever completes a word wants no message.
  }
  return EXIT.done;
}

async function offers(context: Context, what: string, begun: string): Promise<readonly string[]> {
  if (what === 'changeset') {
    const { entries } = await ask(context, 'history', { limit: CHANGE_SETS });
    return [...new Set(entries.map(({ changeSet }) => changeSet))].filter((id) => id !== '');
  }
  // Main says which directories there are, and this host where they lie: the agent knows both.
  const { directories } = await ask(context, 'status', {});
  const known = directories.flatMap(({ name, path }) => (path === undefined ? [] : [{ name, path }]));
  if (what === 'directory') return known.map(({ name }) => name);
  return what === 'path' ? offerPaths(known, begun) : [];
}
