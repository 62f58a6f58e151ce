import type { ChangeSetDetails, Overview, TrashListing } from '../overview.ts';

/*
 * What arrives from the page's own server is not checked by a schema: the library for that would make the page larger by
 * a fifth. The types hold because page and server are built together, and because an open page is loaded again when its
 * server has another version: see live.ts.
 */

export function overviewIn(text: string): Overview {
  return JSON.parse(text) as Overview;
}

/** @returns undefined when Main can't list it. @throws when the connection fails, or by the signal */
export async function fetchTrash(signal: AbortSignal): Promise<TrashListing | undefined> {
  return (await fetched('api/trash', signal)) as TrashListing | undefined;
}

/** @returns undefined when Main knows no change set of this id. @throws like {@link fetchTrash} */
export async function fetchChangeSet(id: string, signal: AbortSignal): Promise<ChangeSetDetails | undefined> {
  return (await fetched(`api/change/${encodeURIComponent(id)}`, signal)) as ChangeSetDetails | undefined;
}

async function fetched(address: string, signal: AbortSignal): Promise<unknown> {
  const answer = await fetch(address, { signal });
  return answer.ok ? answer.json() : undefined;
}
