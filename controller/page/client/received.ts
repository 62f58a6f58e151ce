import type { ChangeSetDetails, Overview, TrashListing } from '../overview.ts';

/*
 * What arrives is checked in its outline only: that it has the members, each of the right kind. A schema's library would
 * make the page larger by a fifth. What is inside holds because page and server are built together, and because an open
 * page is loaded again when its server has another version: see live.ts. In front of the server may be another one, which
 * answers something else.
 */

type KindOf<T> = T extends readonly unknown[]
  ? 'array'
  : T extends string
    ? 'string'
    : T extends number
      ? 'number'
      : T extends object
        ? 'object'
        : never;
/** The kind of each member; `text or null` is not looked at. */
type Outline<T> = { readonly [Name in keyof T]: null extends T[Name] ? 'any' : KindOf<T[Name]> };

const OVERVIEW: Outline<Overview> = {
  status: 'object',
  behind: 'object',
  changeSets: 'array',
  conflicts: 'array',
  excerpts: 'object',
};
const TRASH: Outline<TrashListing> = { items: 'array', more: 'number', problems: 'array' };
const CHANGE_SET: Outline<ChangeSetDetails> = {
  id: 'string',
  directory: 'string',
  dialplan: 'any',
  rows: 'array',
  diffs: 'array',
};

/** @returns undefined when it is something else */
export function overviewIn(text: string): Overview | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isLike(OVERVIEW, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** @returns undefined when Main can't list it. @throws when the connection fails, or by the signal */
export function fetchTrash(signal: AbortSignal): Promise<TrashListing | undefined> {
  return fetched('api/trash', TRASH, signal);
}

/** @returns undefined when Main knows no change set of this id. @throws like {@link fetchTrash} */
export function fetchChangeSet(id: string, signal: AbortSignal): Promise<ChangeSetDetails | undefined> {
  return fetched(`api/change/${encodeURIComponent(id)}`, CHANGE_SET, signal);
}

async function fetched<T>(address: string, outline: Outline<T>, signal: AbortSignal): Promise<T | undefined> {
  const answer = await fetch(address, { signal });
  if (!answer.ok) return undefined;
  const value: unknown = await answer.json();
  return isLike(outline, value) ? value : undefined;
}

function isLike<T>(outline: Outline<T>, value: unknown): value is T {
  const members = new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  return Object.entries(outline).every(
    ([name, kind]) => kind === 'any' || kindOf(members.get(name)) === kind,
  );
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}
