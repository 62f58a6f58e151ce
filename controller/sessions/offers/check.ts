import { MAX_MANIFEST_ENTRIES } from '#protocol/limits.ts';
import type { Offer } from '#protocol/messages/common.ts';
import { SET_ID } from '#core/manifest/entry.ts';
import { isNested } from '#core/path/nesting.ts';
import { isOverride, refusePath } from '#core/path/relative.ts';
import { staysInside } from '#sync/scan/inspect.ts';
import type { MainDirectory } from '../../directories/mainDirectory.ts';

/**
 * Why Main refuses an offer whatever its content. A correct agent never makes such an offer.
 * @param isGranted a person asked for it, so that it may change a one-way directory
 */
export function refuseOffer(directory: MainDirectory, offer: Offer, isGranted = false): string | undefined {
  const { config } = directory;
  if (config.direction !== 'both' && !isGranted) return `an MDS may not change "${config.name}"`;
  const path = refusePath(offer.path);
  if (path !== undefined) return path;
  if (isOverride(offer.path)) return 'overrides are never synchronised';
  const pattern = excludedBy(directory, offer);
  if (pattern !== undefined) return `its name is excluded on Main (${pattern})`;
  if (isNested(directory.nested, offer.path)) return 'the path belongs to another synchronised directory';
  if (offer.op === 'remove' && config.deletions !== 'both') {
    return `removals on an MDS do not count in "${config.name}"`;
  }
  if (offer.op !== 'remove' && offer.entry.type === 'link' && !staysInside(offer.path, offer.entry.target)) {
    return 'the link leads outside';
  }
  if (offer.op === 'put' && offer.entry.type !== 'folder' && directory.replica.holdsOverride(offer.path)) {
    return 'there is a folder with an override in its place on Main';
  }
  if (offer.op === 'put' && wouldRemoveFolder(directory, offer)) {
    return `removals on an MDS do not count in "${config.name}", and a folder with something in it stands there on Main`;
  }
  if (offer.op !== 'remove' && offer.entry.type === 'file' && (offer.entry.mode & SET_ID) !== 0) {
    return 'a file that would run as its owner (set-id bits) is not taken from an MDS';
  }
  if (offer.op === 'put' && offer.expect === null && directory.manifest.size >= MAX_MANIFEST_ENTRIES) {
    return `"${config.name}" holds ${MAX_MANIFEST_ENTRIES} entries already`;
  }
  if (offer.op === 'keep' && offer.entry.type !== 'file') return 'only files are kept';
  if (directory.replica.held !== undefined)
    return `"${config.name}" is on hold on Main: ${directory.replica.held}`;
  return undefined;
}

/** Agents of the previous version don't know the excluded patterns. */
function excludedBy({ excludes }: MainDirectory, offer: Offer): string | undefined {
  const entry = offer.op === 'remove' ? offer.expect : offer.entry;
  return excludes.patternFor(offer.path, entry.type === 'folder');
}

/** A file that replaces a folder removes the folder's content, which is allowed only where the MDS's removals travel. */
function wouldRemoveFolder({ config, replica }: MainDirectory, { path, entry }: PutOffer): boolean {
  if (entry.type === 'folder' || config.deletions === 'both') return false;
  for (const _child of replica.childrenOf(path)) return true;
  return false;
}

/** Whether Main still holds the entry that the offer expects (compare-and-swap). */
export function isAsExpected({ replica }: MainDirectory, offer: Offer): boolean {
  if (offer.op === 'keep') return true;
  if (offer.expect === null) return replica.get(offer.path) === undefined;
  return replica.stampOf(offer.path, offer.expect) !== undefined;
}

type PutOffer = Extract<Offer, { op: 'put' }>;
type FileOffer = Extract<Offer, { op: 'put' | 'keep' }>;

/** True for offers whose content follows on the stream. */
export function hasContent(offer: Offer): offer is FileOffer & { entry: { type: 'file' } } {
  return (offer.op === 'put' || offer.op === 'keep') && offer.entry.type === 'file';
}

/** The resume offset that Main announced to the agent, bytes. */
export function resumeOffsetOf(offer: Offer): number {
  return hasContent(offer) ? Math.min(offer.from ?? 0, offer.entry.size) : 0;
}

/** Bytes of content that follow for this offer; 0 for metadata and removals. */
export function contentBytes(offer: Offer): number {
  return hasContent(offer) ? offer.entry.size : 0;
}
