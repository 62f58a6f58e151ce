import type { Offer } from '#protocol/messages/common.ts';
import { bytesOf } from '#core/manifest/entry.ts';
import { isBelow } from '#core/path/relative.ts';

/**
 * What a person lets one MDS put on Main, once: it was shown beforehand. A directory that only Main changes takes it, too,
 * and nothing else.
 */
export type Grant = {
  readonly directory: string;
  /** The bytes of each file as they were shown. */
  readonly files: ReadonlyMap<string, number>;
  /** For the history and the trash, in place of the MDS's own word. */
  readonly reason: string;
  /** Who asked for it, such as `command by alice`. */
  readonly actor: string;
  /** What it is called in the history. */
  readonly kind: 'adopt' | 'restore';
  /** It became visible on Main under this change set. */
  readonly onDone: (changeSet: string, paths: readonly string[]) => void;
};

/** The offers as Main takes them under a grant; undefined where one of them is not what the person was shown. */
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
