import { ContentDigest } from '#core/manifest/digest.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { isOverride } from '#core/path/relative.ts';

/** How a path is counted: not at all, as delivered content, or as local to this MDS. */
type Counted = { readonly entry: Entry; readonly delivered: boolean };

/** Counts of one directory on this MDS, kept as paths change. The digest equals Main's when the content does. */
export class Counts {
  files = 0;
  bytes = 0;
  localFiles = 0;
  readonly #counted = new Map<string, Counted>();
  readonly #digest = new ContentDigest();

  get digest(): string {
    return this.#digest.hex;
  }

  /**
   * @param entry the current entry
   * @param delivered true when Main has, or had, a counterpart
   */
  count(path: string, entry: Entry | undefined, delivered: boolean): void {
    const before = this.#counted.get(path);
    if (before !== undefined && before.entry === entry && before.delivered === delivered) return;
    if (before !== undefined) this.#add(path, before, -1);
    if (entry === undefined || isOverride(path)) {
      this.#counted.delete(path);
      return;
    }
    const now = { entry, delivered };
    this.#counted.set(path, now);
    this.#add(path, now, 1);
  }

  #add(path: string, { entry, delivered }: Counted, sign: 1 | -1): void {
    if (delivered) {
      this.#digest.toggle(path, entry);
      if (entry.type !== 'file') return;
      this.files += sign;
      this.bytes += sign * entry.size;
    } else if (entry.type !== 'folder') this.localFiles += sign;
  }
}
