import { EXIT } from '../exitCodes.ts';
import { print } from '../output/terminal.ts';

/** A shell that completes a word does not wait longer, milliseconds. */
const PATIENCE = 4_000;
/** So many of the newest entries of the history are looked at for change sets. */
export const COMPLETED_ENTRIES = 200;

/** What bash completion offers, a line each. Where nothing can be found out it offers nothing, and is silent. */
export async function completeWord(offers: () => Promise<readonly string[]>): Promise<number> {
  setTimeout(() => process.exit(EXIT.done), PATIENCE).unref();
  try {
    for (const offer of await offers()) print(offer);
  } catch {
    // Completion must not print messages.
  }
  return EXIT.done;
}

/** The change sets that entries of a history belong to, each once. */
export function changeSetsOf(entries: readonly { readonly changeSet: string }[]): string[] {
  return [...new Set(entries.map(({ changeSet }) => changeSet))].filter((id) => id !== '');
}
