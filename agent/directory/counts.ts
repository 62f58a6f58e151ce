import { ContentDigest } from '#core/manifest/digest.ts';
import { bytesOf, type Entry, sameContent } from '#core/manifest/entry.ts';
import { EntryMap } from '#core/manifest/kept/entryMap.ts';
import { isOverride } from '#core/path/relative.ts';

/** Counts of one directory on this MDS, kept as paths change. The digest equals Main's when the content does. */
export class Counts {
  files = 0;
  bytes = 0;
  localFiles = 0;
  /** The paths counted as delivered content. */
  readonly #delivered = new EntryMap();
  /** The paths counted as local to this MDS. */
  readonly #local = new EntryMap();
  readonly #digest = new ContentDigest();

  get digest(): string {
    return this.#digest.hex;
  }

  /**
   * @param entry the current entry
   * @param delivered true when Main has, or had, a counterpart
   */
  count(path: string, entry: Entry | undefined, delivered: boolean): void {
    const now = entry === undefined || isOverride(path) ? undefined : entry;
    this.#countDelivered(path, delivered ? now : undefined);
    this.#countLocal(path, delivered ? undefined : now);
  }

  #countDelivered(path: string, now: Entry | undefined): void {
    const before = this.#delivered.get(path);
    enter(this.#delivered, path, now);
    if (before !== undefined && now !== undefined && sameContent(before, now)) return;
    for (const entry of [before, now]) if (entry !== undefined) this.#digest.toggle(path, entry);
    this.files += filesIn(now) - filesIn(before);
    this.bytes += bytesOf(now) - bytesOf(before);
  }

  #countLocal(path: string, now: Entry | undefined): void {
    this.localFiles += localIn(now) - localIn(this.#local.get(path));
    enter(this.#local, path, now);
  }
}

function enter(entries: EntryMap, path: string, now: Entry | undefined): void {
  if (now === undefined) entries.delete(path);
  else entries.set(path, now);
}

function filesIn(entry: Entry | undefined): number {
  return entry?.type === 'file' ? 1 : 0;
}

function localIn(entry: Entry | undefined): number {
  return entry === undefined || entry.type === 'folder' ? 0 : 1;
}
