import { EXIT } from '../exitCodes.ts';
import { print } from '../output/terminal.ts';
import { type NamedPlace, offerPaths } from './offerPaths.ts';

/** A shell that completes a word does not wait longer, milliseconds. */
const PATIENCE = 4_000;
/** So many of the newest entries of the history are looked at for change sets. */
const COMPLETED_ENTRIES = 200;

/** Where the candidates come from. */
export type Completed = {
  /** The directories, and where they lie on this disk. */
  readonly directories: () => readonly NamedPlace[] | Promise<readonly NamedPlace[]>;
  /** The newest entries of the history. */
  readonly history: (limit: number) => Promise<readonly { readonly changeSet: string }[]>;
  /** The names of all MDS, on Main. */
  readonly mds?: () => Promise<readonly string[]>;
};

/**
 * `complete`: candidates for bash completion, a line each. Where nothing can be found out it offers nothing, and is
 * silent.
 * @param what kind of word that is completed
 */
export async function complete(completed: Completed, what: string, typed: string): Promise<number> {
  setTimeout(() => process.exit(EXIT.done), PATIENCE).unref();
  try {
    for (const offer of await offers(completed, what, typed)) print(offer);
  } catch {
    // Completion must not print messages.
  }
  return EXIT.done;
}

async function offers(
  { directories, history, mds }: Completed,
  what: string,
  typed: string,
): Promise<readonly string[]> {
  switch (what) {
    case 'directory':
      return (await directories()).map(({ name }) => name);
    case 'path':
      return offerPaths(await directories(), typed);
    case 'changeset': {
      const changeSets = (await history(COMPLETED_ENTRIES)).map(({ changeSet }) => changeSet);
      return [...new Set(changeSets)].filter((id) => id !== '');
    }
    case 'mds':
      return (await mds?.()) ?? [];
    default:
      return [];
  }
}
