import type { PathState } from '#core/manifest/pathState.ts';
import type { Stamp } from '#core/manifest/stamp.ts';

/** A path's state, and the stamp under which it was read. */
export type IndexedPath = { readonly state: PathState; readonly stamp: Stamp };

type SettledFile = Extract<PathState, { kind: 'settled' }>;

/** Digits of a second's nanoseconds. */
const NANOSECONDS = 9;

/** The numbers of devices as texts. */
const devices = new Map<string, string>();

/**
 * A settled file whose stamp is kept as numbers, and without what its entry says, too: a third of a text's memory, and
 * there are as many of them as files.
 */
class IndexedFile implements IndexedPath {
  readonly state: SettledFile;
  readonly #device: string;
  readonly #inode: number;
  /** The ctime. */
  readonly #seconds: number;
  readonly #nanoseconds: number;

  constructor(state: SettledFile, stamp: Stamp) {
    const [device = '', inode, , , ctime = ''] = stamp.split(':');
    this.state = state;
    this.#device = once(device);
    this.#inode = Number(inode);
    this.#seconds = Number(ctime.slice(0, -NANOSECONDS));
    this.#nanoseconds = Number(ctime.slice(-NANOSECONDS));
  }

  get stamp(): Stamp {
    const { entry } = this.state;
    const of = entry.type === 'file' ? `${entry.size}:${entry.mtime}` : '';
    const nanoseconds = String(this.#nanoseconds).padStart(NANOSECONDS, '0');
    return `${this.#device}:${this.#inode}:${of}:${this.#seconds}${nanoseconds}`;
  }
}

/** The same text as for the other files of its device. */
function once(device: string): string {
  const known = devices.get(device);
  if (known === undefined) devices.set(device, device);
  return known ?? device;
}

/** The same in less memory, where that is possible. */
export function compactly(node: IndexedPath): IndexedPath {
  const { state, stamp } = node;
  if (state.kind !== 'settled' || state.entry.type !== 'file') return node;
  const compact = new IndexedFile(state, stamp);
  // Not for a time that the numbers don't hold exactly, or a stamp from before a change of metadata.
  return compact.stamp === stamp ? compact : node;
}
