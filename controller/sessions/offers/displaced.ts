import type { Offer } from '#protocol/messages/common.ts';
import { formatBytes } from '#core/text/size.ts';
import { bytesOf } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { pathsBelow } from '#core/plan/tree.ts';
import { BESIDE, inBlocks } from '#sync/trash/trashUsage.ts';
import type { MainDirectory } from '../../directories/mainDirectory.ts';

/** Bytes on disk that an offer would move to Main's trash, if Main holds the entry that the offer expects. */
export function wouldDisplace({ replica }: MainDirectory, offer: Offer): number {
  if (offer.op === 'metadata') return 0;
  if (offer.op === 'keep') return BESIDE + inBlocks(bytesOf(offer.entry));
  const { expect, path } = offer;
  if (expect === null) return 0;
  // Only empty folders are removed, which leaves nothing in the trash.
  if (expect.type === 'folder' && offer.op === 'remove') return 0;
  let bytes = BESIDE + inBlocks(bytesOf(expect));
  if (expect.type !== 'folder') return bytes;
  for (const below of pathsBelow(replica, path)) {
    const entry = entryOf(replica.get(below));
    bytes += inBlocks(entry === undefined ? 0 : bytesOf(entry));
  }
  return bytes;
}

/** The refusal of an offer that exceeds the trash's limit, with the remedy. It is shown on the MDS. */
export function whyTrashIsFull({ name, config, trashShares }: MainDirectory, mds: string): string {
  const limit = config.maxBytes ?? 0;
  return (
    `what ${mds} replaced and removed in "${name}" fills its part of Main's trash ` +
    `(${formatBytes(trashShares?.of(mds) ?? 0)} of maxBytes, ${formatBytes(limit)}): it is tried again as the trash ages. ` +
    `If that is too little, raise maxBytes or shorten trash: { keep } in Main's controller.yml and restart it there; ` +
    `if ${mds} should not replace so much, see "xivo-xds-sync history --mds ${mds}"`
  );
}
