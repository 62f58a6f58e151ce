import type { Offer } from '#protocol/messages/common.ts';
import { bytesOf } from '#core/manifest/entry.ts';
import { isBelow } from '#core/path/relative.ts';

/**
 * A person's one-time permission for one MDS to offer exactly the files that were shown, in a one-way directory, too.
 */
export type Grant = {
  readonly directory: string;
  /** Size of each file as shown, bytes, by path. */
  readonly files: ReadonlyMap<string, number>;
  /** Reason for history and trash, instead of the one that the MDS sends. */
  readonly reason: string;
  /** The actor, such as `command by alice`. */
  readonly actor: string;
  /** Its name in the history. */
  readonly kind: 'adopt' | 'restore';
  /** Called with the change set under which it became visible on Main. */
  readonly onDone: (changeSet: string, paths: readonly string[]) => void;
};

/** The offers as Main accepts them under a grant; undefined when one differs from what the person was shown. */
export function grantedOffers(
  grant: Grant,
  directory: string,
  offers: readonly Offer[],
): Offer[] | undefined {
  if (grant.directory !== directory) return undefined;
  const granted: Offer[] = [];
  for (const offer of offers) {
    if (offer.op !== 'put') return undefined;
    const isFolderOfIt =
      offer.entry.type === 'folder' &&
      offer.expect === null &&
      [...grant.files.keys()].some((path) => isBelow(path, offer.path));
    const isShown = grant.files.get(offer.path) === bytesOf(offer.entry) && offer.from === undefined;
    if (!isFolderOfIt && !isShown) return undefined;
    granted.push({ ...offer, reason: grant.reason });
  }
  return granted;
}
